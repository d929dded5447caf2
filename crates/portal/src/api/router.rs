//! The addresses of the API and their description (OpenAPI 3.1), made together: what is not described is not served.
//!
//! Not here: what an act or a question is (`acts`, `questions`).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder, Ref,
    RefOr, Required, Response, ResponseBuilder, ResponsesBuilder, Schema, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::acting::{self, Receipt};
use super::acts::Wanted;
use super::problem::ProblemBody;
use super::questions::{self, Question};
use super::value::{BedCode, LocationCode, OfferNumber, ReferralNumber, RegionCode, StayNumber};
use crate::server::Portal;
use crate::site::forms;

/// Where the API is.
pub(crate) const PREFIX: &str = "/api/v1";
/// Where the same acts are as forms, for pages.
pub(crate) const FORMS: &str = "/doe";
/// What its token is called in the description.
const TOKEN: &str = "token";
/// What every answer may be beside what was asked for.
const PROBLEMS: [(u16, &str); 7] = [
    (400, "A part of the request can not be read."),
    (401, "There is no valid token."),
    (403, "The role may not do this."),
    (404, "There is no such thing, or it is another's."),
    (405, "Another method is asked for here."),
    (409, "The rules say no, with the code and the sentence of the refusal; or the id was used before."),
    (503, "It can not be answered now; try again, with the same id."),
];
/// And what an act may be answered with.
const PROBLEMS_OF_ACTS: [(u16, &str); 4] = [
    (413, "The body is too large."),
    (415, "The body is no JSON."),
    (422, "The body is JSON, but not what is asked for."),
    (429, "More acts within a moment than one may do; send it again, with the same id."),
];

/// Addresses and descriptions so far.
pub(crate) struct Api {
    router: Router<Arc<Portal>>,
    paths: PathsBuilder,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Api {
    pub(crate) fn new() -> Self {
        let api = Self { router: Router::new(), paths: PathsBuilder::new(), schemas: BTreeMap::new() };
        api.knows::<ProblemBody>().knows::<Receipt>()
    }

    /// Adds an act.
    pub(crate) fn act<W: Wanted>(mut self) -> Self {
        let mut responses = problems(PROBLEMS.iter().chain(&PROBLEMS_OF_ACTS));
        for (status, about) in [(200, "It was so already, or came before."), (201, "It is recorded.")] {
            responses = responses.response(status.to_string(), with_position(about, reference::<Receipt>()));
        }
        let body = ContentBuilder::new().schema(Some(reference::<W>())).build();
        let operation = OperationBuilder::new()
            .operation_id(Some(W::OPERATION))
            .summary(Some(W::SUMMARY.trim()))
            .tag(tag(W::PATH))
            .parameters(Some(parts(W::PATH).chain([position_header()])))
            .request_body(Some(
                RequestBodyBuilder::new()
                    .content("application/json", body)
                    .required(Some(Required::True))
                    .build(),
            ))
            .responses(responses)
            .security(SecurityRequirement::new(TOKEN, no_scopes()));
        let path = format!("{PREFIX}{}", W::PATH);
        self.router = self
            .router
            .route(&path, post(acting::act::<W>))
            .route(&format!("{FORMS}{}", W::PATH), post(forms::act::<W>));
        self.paths = self.paths.path(path, PathItem::new(HttpMethod::Post, operation));
        self.knows::<W>()
    }

    /// Adds a question.
    pub(crate) fn question<Q: Question>(mut self) -> Self {
        let answer = ContentBuilder::new().schema(Some(reference::<Q::Answer>())).build();
        let answered = ResponseBuilder::new()
            .description("What was asked, as it stands at a position.")
            .header("ETag", position_of_answer())
            .content("application/json", answer);
        let operation = OperationBuilder::new()
            .operation_id(Some(Q::OPERATION))
            .summary(Some(Q::SUMMARY.trim()))
            .tag(tag(Q::PATH))
            .parameters(Some(
                parts(Q::PATH).chain(Q::into_params(|| Some(ParameterIn::Query))).chain([position_header()]),
            ))
            .responses(problems(PROBLEMS.iter()).response("200", answered).response(
                "304",
                ResponseBuilder::new().description("As it was at the position of If-None-Match."),
            ))
            .security(SecurityRequirement::new(TOKEN, no_scopes()));
        let path = format!("{PREFIX}{}", Q::PATH);
        self.router = self.router.route(&path, get(questions::ask::<Q>));
        self.paths = self.paths.path(path, PathItem::new(HttpMethod::Get, operation));
        self.knows::<Q::Answer>()
    }

    /// Adds an address whose description is made by hand, because it answers with a stream.
    pub(crate) fn stream(
        mut self,
        path: &str,
        operation: OperationBuilder,
        serve: axum::routing::MethodRouter<Arc<Portal>>,
    ) -> Self {
        let operation = operation
            .parameters(Some(parts(path)))
            .responses(
                problems(PROBLEMS.iter()).response(
                    "200",
                    ResponseBuilder::new()
                        .description("Events as they are recorded, each with its position as id.")
                        .content(
                            "text/event-stream",
                            ContentBuilder::new().schema(Some(String::schema())).build(),
                        ),
                ),
            )
            .tag(tag(path))
            .security(SecurityRequirement::new(TOKEN, no_scopes()));
        let path = format!("{PREFIX}{path}");
        self.router = self.router.route(&path, serve);
        self.paths = self.paths.path(path, PathItem::new(HttpMethod::Get, operation));
        self
    }

    fn knows<T: ToSchema>(mut self) -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        self.schemas.extend(schemas);
        self
    }

    /// The addresses, with that of their description.
    pub(crate) fn finish(self) -> Router<Arc<Portal>> {
        let parts: [(String, RefOr<Schema>); 6] = [
            named::<RegionCode>(),
            named::<LocationCode>(),
            named::<BedCode>(),
            named::<ReferralNumber>(),
            named::<OfferNumber>(),
            named::<StayNumber>(),
        ];
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("dst_…")
            .description(Some("The token of a source: `doorstroom admin token add` makes one."))
            .build();
        let components = ComponentsBuilder::new()
            .schemas_from_iter(parts)
            .schemas_from_iter(self.schemas)
            .security_scheme(TOKEN, SecurityScheme::Http(token))
            .build();
        let info = InfoBuilder::new()
            .title("Doorstroom")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(
                "The regional bed desks: acts (POST) and questions (GET). An act carries an id that its sender made and is \
                 done once however often it is sent; its answer names the position from which on it is so, which a \
                 question can wait for. A referral that ended more than 31 days ago is found by auditors only, on their pages and in \
                 the log. Every error is problem+json with a code for programs and a sentence for people.",
            ))
            .license(Some(LicenseBuilder::new().name("EUPL-1.2").identifier(Some("EUPL-1.2")).build()))
            .build();
        let document = OpenApiBuilder::new()
            .info(info)
            .servers(Some([ServerBuilder::new().url("/").build()]))
            .paths(self.paths.build())
            .components(Some(components))
            .build();
        // It is the same for as long as the process lives.
        let text: Arc<str> = serde_json::to_string(&document).unwrap_or_default().into();
        self.router.route(
            &format!("{PREFIX}/openapi.json"),
            get(async move || {
                let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
                (kind, text.to_string()).into_response()
            }),
        )
    }
}

fn named<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn no_scopes() -> [String; 0] {
    []
}

/// What an address is about: its first part.
fn tag(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// The named parts of an address.
fn parts(path: &str) -> impl Iterator<Item = Parameter> + use<> {
    let names: Vec<String> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect();
    names.into_iter().map(|name| {
        let schema = match &*name {
            "region" => reference::<RegionCode>(),
            "location" => reference::<LocationCode>(),
            "bed" => reference::<BedCode>(),
            "referral" => reference::<ReferralNumber>(),
            "offer" => reference::<OfferNumber>(),
            "stay" => reference::<StayNumber>(),
            _ => super::acts::bed_word_schema(),
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema))
            .build()
    })
}

fn position_header() -> Parameter {
    ParameterBuilder::new()
        .name("Doorstroom-Position")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Answer from this position of the log on; waits a moment for it."))
        .schema(Some(u64::schema()))
        .build()
}

fn position_of_answer() -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(String::schema()).description(Some("The position, in quotes.")).build()
}

fn with_position(about: &str, schema: RefOr<Schema>) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(about)
        .header("ETag", position_of_answer())
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
}

fn problems<'a>(which: impl Iterator<Item = &'a (u16, &'static str)>) -> ResponsesBuilder {
    which.fold(ResponsesBuilder::new(), |responses, (status, about)| {
        let body = ContentBuilder::new().schema(Some(reference::<ProblemBody>())).build();
        let problem: Response =
            ResponseBuilder::new().description(*about).content("application/problem+json", body).build();
        responses.response(status.to_string(), problem)
    })
}
