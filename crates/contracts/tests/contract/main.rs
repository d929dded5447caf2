//! What the event contract promises, on the reference data, on every type, and on what broken senders send.

#[cfg(test)]
mod every_type;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod reference_data;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod signatures;
