//! The tables: every kind of user, every kind of subject, and who may what.
//!
//! Not here: asking the server (`main`).

/// Two regions with their senders, and a centre of the first.
pub(crate) const NETWORK: &str = r#"
[[region]]
code = "zk01"
name = "Een"
desk = { name = "Loket Een", phone = "0800-000-0001", hours = "dag en nacht" }
[[region]]
code = "zk02"
name = "Twee"
desk = { name = "Loket Twee", phone = "0800-000-0002", hours = "dag en nacht" }
[[centre]]
code = "oost"
name = "Acute zorg Oost"
regions = ["zk01"]
[[source]]
id = "urn:nld:kvknr:00000000:systeem:loket-een"
name = "loket"
kind = "desk"
region = "zk01"
[[source]]
id = "urn:nld:kvknr:00000000:systeem:de-linde"
name = "de-linde"
kind = "location"
region = "zk01"
locations = ["*"]
[[source]]
id = "urn:nld:kvknr:00000000:systeem:loket-twee"
name = "ander"
kind = "desk"
region = "zk02"
"#;

/// A letter for each kind of user in the tables, its account and its name.
pub(crate) const USERS: [(char, &str, &str); 11] = [
    ('L', "R_zk01", "loket"),
    ('D', "R_zk01", "de-linde"),
    ('O', "R_zk02", "ander"),
    ('R', "R_zk01", "_recorder"),
    ('P', "R_zk01", "_provisioner"),
    ('G', "CORE", "_gateway"),
    ('W', "CORE", "_operator"),
    ('Q', "CORE", "_provisioner"),
    ('C', "ACUTE_oost", "oost"),
    ('X', "ACUTE_oost", "_provisioner"),
    ('M', "SYS", "_monitor"),
];

/// What a user of the core could ask, as it stands: it would make a consumer there.
pub(crate) const FORGED: &str = r#"{"stream_name":"LOG_zk01","action":"","config":{"name":"forged","ack_policy":"none",
    "deliver_subject":"acute.oost.forged","inactive_threshold":3600000000000}}"#;

/// Who may publish where, each in its own account; all others are refused.
pub(crate) const PUBLISH: &[(&str, &str)] = &[
    // The doors: each sender its own, of its own region.
    ("in.zk01.loket.bed.freed", "L"),
    ("in.zk01.de-linde.bed.freed", "D"),
    ("in.zk02.ander.bed.freed", "O"),
    ("in.zk02.loket.bed.freed", ""),
    ("in.zk01.loket", ""),
    ("in.zk01.loketje.bed.freed", ""),
    ("record.zk01.loket", "L"),
    ("record.zk01.de-linde", "D"),
    ("record.zk02.ander", "O"),
    ("record.zk02.loket", ""),
    ("record.zk01.loket.more", ""),
    // Receipts and answers.
    ("receipt.zk01.loket", "R"),
    ("receipt.zk02.ander", ""),
    ("_INBOX.loket.answer", "RG"),
    ("_INBOX._recorder.answer", "RG"),
    ("_INBOX.oost.answer", "RG"),
    ("_R_.answer", "G"),
    // What the node publishes.
    ("log.zk01.bed.freed", "G"),
    ("$KV.availability.zk01.sum.GRZ", "G"),
    ("$KV.another.zk01", ""),
    ("head", "G"),
    ("acute.oost.silent", "G"),
    ("acute.core.alarm", "G"),
    // Requests to the node.
    ("svc.doorstroom.history", "WC"),
    ("svc.doorstroom.availability", "WC"),
    ("svc.for.oost.doorstroom.history", ""),
    ("svc.for.west.doorstroom.history", ""),
    ("admin.quarantine.release", "W"),
    ("$SRV.PING", "W"),
    // What is let through between accounts is for the server alone.
    ("core.API.CONSUMER.CREATE.LOG_zk01", ""),
    ("core.API.CONSUMER.CREATE.LOG_zk02", ""),
    ("mirror.oost.M.x", ""),
    // Reading streams, of the account one is in.
    ("$JS.API.INFO", "GWCPQX"),
    ("$JS.API.STREAM.NAMES", "GWCPQX"),
    ("$JS.API.STREAM.LIST", "GWCPQX"),
    ("$JS.API.STREAM.INFO.IN_zk01", "RGWCPQX"),
    ("$JS.API.STREAM.INFO.IN_zk02", "GWCPQX"),
    ("$JS.API.STREAM.MSG.GET.IN_zk01", "RGWCPQX"),
    ("$JS.API.STREAM.MSG.GET.IN_zk02", "GWCPQX"),
    ("$JS.API.DIRECT.GET.KV_availability", "GWCPQX"),
    ("$JS.API.DIRECT.GET.KV_availability.$KV.availability.zk01.sum.GRZ", "GWCPQX"),
    ("$JS.API.CONSUMER.INFO.IN_zk01.rec", "RGWCPQX"),
    ("$JS.API.CONSUMER.INFO.IN_zk02.rec", "GWCPQX"),
    ("$JS.API.CONSUMER.MSG.NEXT.IN_zk01.rec", "RGWCPQX"),
    ("$JS.API.CONSUMER.MSG.NEXT.IN_zk02.rec", "GWCPQX"),
    ("$JS.API.CONSUMER.CREATE.IN_zk01", "GWCPQX"),
    ("$JS.API.CONSUMER.CREATE.IN_zk01.mine", "GWCPQX"),
    ("$JS.API.CONSUMER.CREATE.IN_zk01.mine.in.zk01.>", "GWCPQX"),
    ("$JS.API.CONSUMER.DURABLE.CREATE.IN_zk01.mine", "GWCPQX"),
    ("$JS.API.CONSUMER.DELETE.IN_zk01.rec", "GWCPQX"),
    // The recorder's place in its mailbox, and acknowledging what it took from there.
    ("$JS.API.CONSUMER.RESET.IN_zk01.rec", "RPQX"),
    ("$JS.API.CONSUMER.RESET.IN_zk02.rec", "PQX"),
    ("$JS.ACK.IN_zk01.rec.1.1.1.1.0", "RC"),
    ("$JS.ACK.IN_zk02.rec.1.1.1.1.0", "C"),
    ("$JS.ACK.LOG_zk01.mine.1.1.1.1.0", "C"),
    // Making, changing, emptying and removing: the provisioners alone, each in its account.
    ("$JS.API.CONSUMER.PAUSE.IN_zk01.rec", "PQX"),
    ("$JS.API.CONSUMER.UNPIN.IN_zk01.rec", "PQX"),
    ("$JS.API.CONSUMER.LEADER.STEPDOWN.IN_zk01.rec", "PQX"),
    ("$JS.API.STREAM.CREATE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.UPDATE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.DELETE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.PURGE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.PURGE.LOG_zk01", "PQX"),
    ("$JS.API.STREAM.MSG.DELETE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.SNAPSHOT.IN_zk01", "PQX"),
    ("$JS.API.STREAM.RESTORE.IN_zk01", "PQX"),
    ("$JS.API.STREAM.LEADER.STEPDOWN.IN_zk01", "PQX"),
    ("$JS.API.STREAM.PEER.REMOVE.IN_zk01", "PQX"),
    ("$JS.API.ACCOUNT.PURGE.R_zk01", "PQX"),
    ("$JS.API.META.LEADER.STEPDOWN", "PQX"),
    ("$JS.FC.LOG_zk01.mine.x", "GWC"),
    ("$JS.EVENT.ADVISORY.API", ""),
    // The server.
    ("$SYS.REQ.SERVER.PING.VARZ", "M"),
    ("$SYS.REQ.SERVER.PING.JSZ", "M"),
    ("$SYS.REQ.SERVER.PING.CONNZ", "M"),
    ("$SYS.REQ.SERVER.NAAA.RELOAD", ""),
    ("$SYS.REQ.ACCOUNT.R_zk01.CONNZ", ""),
    ("$SYS.REQ.ACCOUNT.PING.CONNZ", ""),
    ("$SYS.REQ.USER.INFO", ""),
    ("$SYS.REQ.CLAIMS.UPDATE", ""),
    ("anything.else", ""),
];

/// Who may subscribe where; a subject with a queue group after it is asked for with that group.
pub(crate) const SUBSCRIBE: &[(&str, &str)] = &[
    ("receipt.zk01.loket", "L"),
    ("receipt.zk01.loket group", "L"),
    ("receipt.zk01.de-linde", "D"),
    ("receipt.zk01.de-linde group", "D"),
    ("receipt.zk02.ander", "O"),
    ("receipt.zk01.*", ""),
    ("receipt.>", ""),
    ("_INBOX.loket.>", "L"),
    ("_INBOX.de-linde.>", "D"),
    ("_INBOX.de-linde.> group", "D"),
    ("_INBOX.ander.>", "O"),
    ("_INBOX._recorder.>", "R"),
    ("_INBOX._provisioner.>", "PQX"),
    ("_INBOX._gateway.>", "G"),
    ("_INBOX._operator.>", "W"),
    ("_INBOX.oost.>", "C"),
    ("_INBOX._monitor.>", "M"),
    ("_INBOX.*.x", ""),
    ("_INBOX.>", ""),
    ("_INBOX.> group", ""),
    ("_R_.>", ""),
    ("in.zk01.>", ""),
    ("in.zk01.loket.>", ""),
    ("in.zk01.> group", ""),
    ("record.zk01.>", "R"),
    ("record.zk01.loket", "R"),
    ("record.zk02.>", ""),
    ("record.>", ""),
    ("record.zk01.> group", "R"),
    ("log.zk01.>", ""),
    ("$KV.>", ""),
    ("acute.>", ""),
    ("head", ""),
    ("svc.doorstroom.history", "G"),
    ("svc.for.*.doorstroom.history", "G"),
    ("admin.>", "G"),
    ("$SRV.PING", "G"),
    ("mirror.oost.>", ""),
    ("core.>", ""),
    ("$JS.API.>", ""),
    ("$JS.ACK.>", ""),
    ("$JS.FC.>", ""),
    ("$JS.EVENT.>", ""),
    ("$SYS.>", ""),
    ("$SYS.ACCOUNT.*.CONNECT", ""),
    (">", ""),
    ("*.*.loket.>", ""),
    ("> group", ""),
];
