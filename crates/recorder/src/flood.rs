//! Who sends so much in vain that it is not listened to for a while. Pure.
//!
//! A sender that is told "busy" waits, and one that is refused looks why; whoever does neither costs everybody time. Not
//! here: what becomes of it (`counter` stops listening, the node may shut it out), what is kept of it (`quota`).

use std::collections::HashMap;

use network::SenderName;

/// Messages of one sender that are refused, or find no room, in one second before it counts as a flood. A client that by
/// mistake asks two thousand things at once stays below; at the speed of a flood they come in a hundredth of a second.
pub const IN_VAIN_PER_SECOND_MAX: u32 = 2_048;
/// The second, in microseconds.
const SECOND: i64 = 1_000_000;

/// What each sender of a region sent in vain. As many as the region has senders, and one for all it does not know.
#[derive(Debug, Default)]
pub(crate) struct Floods(HashMap<Option<SenderName>, InVain>);

#[derive(Clone, Copy, Debug)]
struct InVain {
    began: i64,
    messages: u32,
}

impl Floods {
    /// Notes a message in vain at this moment (microseconds). `true` for the one that makes it a flood.
    pub(crate) fn note(&mut self, sender: Option<&SenderName>, now: i64) -> bool {
        let sender = sender.cloned();
        let known = self.0.entry(sender).or_insert(InVain { began: now, messages: 0 });
        // A flood stays one until it is forgiven. A clock that was set back begins anew too.
        let over = known.messages > IN_VAIN_PER_SECOND_MAX;
        if !over && !(0..SECOND).contains(&now.saturating_sub(known.began)) {
            *known = InVain { began: now, messages: 0 };
        }
        known.messages = known.messages.saturating_add(1);
        !over && known.messages > IN_VAIN_PER_SECOND_MAX
    }

    /// Whether this sender floods.
    pub(crate) fn has(&self, sender: Option<&SenderName>) -> bool {
        // The key is an option of an owned name; only few are ever in here.
        self.0.get(&sender.cloned()).is_some_and(|known| known.messages > IN_VAIN_PER_SECOND_MAX)
    }

    /// Begins anew with this sender.
    pub(crate) fn forgive(&mut self, sender: Option<&SenderName>) {
        self.0.remove(&sender.cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> SenderName {
        name.parse().unwrap()
    }

    #[test]
    fn who_sends_too_much_in_vain_within_a_second_floods_until_it_is_forgiven_and_nobody_else_does() {
        let (mut floods, flood, calm) = (Floods::default(), name("flood"), name("calm"));
        let told = (0..20_000).filter(|_| floods.note(Some(&flood), 5)).count();
        assert_eq!(told, 1, "one alarm");
        floods.note(Some(&calm), 5);
        assert!(floods.has(Some(&flood)) && !floods.has(Some(&calm)) && !floods.has(None));
        assert!(!floods.note(Some(&flood), 5 + 10 * SECOND) && floods.has(Some(&flood)));
        floods.forgive(Some(&flood));
        assert!(!floods.has(Some(&flood)));
    }

    #[test]
    fn the_same_number_over_a_longer_time_is_no_flood() {
        let (mut floods, slow) = (Floods::default(), name("slow"));
        for second in 0..10 {
            for _ in 0..IN_VAIN_PER_SECOND_MAX {
                assert!(!floods.note(Some(&slow), second * SECOND));
            }
        }
        assert!(!floods.has(Some(&slow)));
    }
}
