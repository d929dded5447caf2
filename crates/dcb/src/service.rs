//! The calls of `umadb.v1.DCB`.
//!
//! Not here: the connections (`server`), what a message means (`convert`), reading (`read`).

use std::sync::Arc;

use eventlog::{AppendError, Batch, Direction, EventLog, LogReader, Query, QueryItem};
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{Mutex, Semaphore, watch};
use tonic::{Request, Response, Status};

use crate::convert::{append_condition, batch, sequenced, tracking_tag};
use crate::read::{Following, Reading};
use crate::status::{exhausted, integrity, internal, invalid, of_append, of_read, stopping};
use crate::wire::{
    AppendRequest, AppendResponse, HeadRequest, HeadResponse, ReadRequest, ReadResponse, SubscribeRequest,
    SubscribeResponse, TrackingInfo, TrackingRequest, TrackingResponse, dcb_server::Dcb,
};

/// Bytes of one request: what gRPC takes unless told otherwise, and half of what one commit of the log takes.
pub const REQUEST_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Subscriptions at once. One that is behind holds what it read, up to 4 MiB; one more is refused.
pub const SUBSCRIBERS_MAX: usize = 256;
/// Readings that are on the disk at once; the others wait for their next message, so that appending has threads left.
pub const SCANS_MAX: usize = 16;

/// A service; clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    log: EventLog,
    reader: LogReader,
    /// True: the server is to stop, because it was told to or because the log has stopped.
    stop: Arc<watch::Sender<bool>>,
    subscribers: Arc<Semaphore>,
    scans: Arc<Semaphore>,
    /// Held from looking how far a source has come until what makes it come further is recorded.
    tracking: Arc<Mutex<()>>,
}

impl Service {
    pub(crate) fn new(log: EventLog, stop: Arc<watch::Sender<bool>>) -> Service {
        Service {
            reader: log.reader(),
            log,
            stop,
            subscribers: Arc::new(Semaphore::new(SUBSCRIBERS_MAX)),
            scans: Arc::new(Semaphore::new(SCANS_MAX)),
            tracking: Arc::default(),
        }
    }

    async fn append_batch(&self, batch: Batch) -> Result<u64, Status> {
        match self.log.append(batch).await {
            Ok(appended) => Ok(appended.positions.last().copied().unwrap_or(0)),
            Err(error) => {
                if matches!(error, AppendError::Stopped { .. }) {
                    self.stop.send_replace(true);
                }
                Err(of_append(&error))
            }
        }
    }

    /// Appends if the source comes further by it, or if everything is recorded already.
    async fn append_tracked(&self, batch: Batch, tracking: TrackingInfo) -> Result<u64, Status> {
        let _turn = self.tracking.lock().await;
        let source = tracking.source.clone();
        if let Some(known) = self.blocking(move |service| service.tracked(&source)).await?
            && tracking.position <= known
        {
            let keys: Vec<_> = batch.records.iter().map(|record| record.key).collect();
            let recorded = self.blocking(move |service| {
                keys.iter().try_fold(true, |all, key| {
                    let position = service.reader.position_of(key).map_err(|error| of_read(&error))?;
                    Ok(all && position.is_some())
                })
            });
            if !recorded.await? {
                return Err(integrity(format!(
                    "source {} has come to {known} already, and {} is not beyond it; nothing was appended",
                    tracking.source, tracking.position
                )));
            }
        }
        self.append_batch(batch).await
    }

    /// How far a source has come.
    fn tracked(&self, source: &str) -> Result<Option<u64>, Status> {
        let of_source = QueryItem { tags: vec![tracking_tag(source)], ..QueryItem::default() };
        let query = Query {
            items: vec![of_source],
            direction: Direction::Backward,
            limit: Some(1),
            ..Query::default()
        };
        let Some(last) = self.reader.read(query).next() else { return Ok(None) };
        let event = sequenced(last.map_err(|error| of_read(&error))?)?;
        Ok(event.tracking_info.map(|tracking| tracking.position))
    }

    /// Nothing to append: only whether the condition holds, as of now.
    fn check(&self, condition: crate::wire::AppendCondition) -> Result<(), Status> {
        let condition = append_condition(condition)?;
        let query =
            Query { items: condition.fail_if, after: condition.after, limit: Some(1), ..Query::default() };
        match self.reader.read(query).next() {
            None => Ok(()),
            Some(Ok(record)) => Err(of_append(&AppendError::ConditionFailed { position: record.position })),
            Some(Err(error)) => Err(of_read(&error)),
        }
    }

    /// Does something that waits for the disk where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let service = self.clone();
        // Its only end is that of the server.
        let _place = self.scans.acquire().await.map_err(|_| stopping())?;
        let done = tokio::task::spawn_blocking(move || work(&service)).await;
        done.map_err(|error| internal(error.to_string()))?
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

#[tonic::async_trait]
impl Dcb for Service {
    type ReadStream = BoxStream<'static, Result<ReadResponse, Status>>;
    type SubscribeStream = BoxStream<'static, Result<SubscribeResponse, Status>>;

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let reading = Reading::new(&self.reader, request.into_inner())?;
        let service = self.clone();
        let messages = stream::unfold(Some(reading), move |reading| {
            let service = service.clone();
            async move {
                let mut reading = reading?;
                if service.is_stopping() {
                    return Some((Err(stopping()), None));
                }
                let read = service.blocking(move |_| Ok((reading.next_message(), reading))).await;
                match read {
                    Ok((Ok(message), reading)) => Some((Ok(message?), Some(reading))),
                    Ok((Err(status), _)) | Err(status) => Some((Err(status), None)),
                }
            }
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        // Nothing can come after that.
        if request.after == Some(u64::MAX) {
            return Ok(Response::new(stream::empty().boxed()));
        }
        let place = Arc::clone(&self.subscribers).try_acquire_owned().map_err(|_| {
            exhausted(format!("there are {SUBSCRIBERS_MAX} subscriptions, and no more are kept at once"))
        })?;
        let following = Following::new(&self.reader, request)?;
        let stop = self.stop.subscribe();
        let messages = stream::unfold(Some((following, stop, place)), |state| async {
            let (mut following, mut stop, place) = state?;
            let message = tokio::select! {
                message = following.next_message() => message,
                _ = stop.wait_for(|stop| *stop) => Err(stopping()),
            };
            let next = message.is_ok().then_some((following, stop, place));
            Some((message, next))
        });
        Ok(Response::new(messages.boxed()))
    }

    async fn append(&self, request: Request<AppendRequest>) -> Result<Response<AppendResponse>, Status> {
        let AppendRequest { events, condition, tracking_info } = request.into_inner();
        let position = if events.is_empty() {
            if tracking_info.is_some() {
                return Err(invalid(String::from(
                    "tracking info is kept with an event; append at least one",
                )));
            }
            if let Some(condition) = condition {
                self.blocking(move |service| service.check(condition)).await?;
            }
            0
        } else {
            let batch = batch(events, condition, tracking_info.as_ref())?;
            match tracking_info {
                Some(tracking) => self.append_tracked(batch, tracking).await?,
                None => self.append_batch(batch).await?,
            }
        };
        Ok(Response::new(AppendResponse { position }))
    }

    async fn head(&self, _request: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        let head = self.reader.head().position;
        Ok(Response::new(HeadResponse { position: (head > 0).then_some(head) }))
    }

    async fn get_tracking_info(
        &self,
        request: Request<TrackingRequest>,
    ) -> Result<Response<TrackingResponse>, Status> {
        let source = request.into_inner().source;
        let position = self.blocking(move |service| service.tracked(&source)).await?;
        Ok(Response::new(TrackingResponse { position }))
    }
}
