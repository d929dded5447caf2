//! The messages of `/proto`, as the description of the bus needs them: names, types, and the comments above them.
//!
//! Reads the very file that the code is generated from. Not here: what is made of it (`schema`).

/// The messages with the data of events.
const EVENT_PROTO: &str = include_str!("../../../../proto/doorstroom/v1/event.proto");

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) name: &'static str,
    /// The comment above it: for an event, its types.
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
}

/// One field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// As the file has it: `string`, `bool`, or another message.
    pub(super) kind: &'static str,
    pub(super) repeated: bool,
    pub(super) comment: String,
}

/// Every message of the file, in its order.
pub(super) fn messages() -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    let mut comment = String::new();
    for line in EVENT_PROTO.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            let space = if comment.is_empty() { "" } else { " " };
            comment = format!("{comment}{space}{}", text.trim());
            continue;
        }
        let said = std::mem::take(&mut comment);
        if let Some(name) = line.strip_prefix("message ").and_then(|rest| rest.strip_suffix(" {")) {
            messages.push(Message { name, comment: said, fields: Vec::new() });
        } else if let (Some(message), Some(field)) = (messages.last_mut(), field(line, said)) {
            message.fields.push(field);
        }
    }
    messages
}

/// `optional string location = 1;`
fn field(line: &'static str, comment: String) -> Option<Field> {
    let mut words = line.strip_suffix(';')?.split(' ');
    let repeated = match words.next()? {
        "optional" => false,
        "repeated" => true,
        _ => return None,
    };
    Some(Field { kind: words.next()?, name: words.next()?, repeated, comment })
}

/// The message with the data of a type, such as `bed.freed`: the one whose comment names it.
pub(super) fn of_kind<'a>(messages: &'a [Message], kind: &str) -> Option<&'a Message> {
    let names = |message: &&Message| {
        message
            .comment
            .split(|c: char| !(c.is_ascii_lowercase() || c == '.' || c == '-'))
            .any(|word| word == kind)
    };
    messages.iter().find(names)
}
