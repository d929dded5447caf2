//! What can be done to a broker, its streams, the way to it and the log, done to a real node: nothing that has a receipt
//! is lost, nothing is there twice, the right alarm is raised within ten seconds, and the node is whole again without
//! hands.
//!
//! Not here: what takes longer (disks, half a minute of silence, 10⁵ messages again: `tests/chaos`), a broker killed
//! under load (fault 50, `kill`), a broker that does not sync (fault 55, `node`).

use tests::chaos::{self, Outcome};

fn sound(outcome: &Outcome) {
    assert!(outcome.is_sound(), "{outcome:?}");
}

#[test]
fn fault_51_a_broker_whose_storage_was_wiped_costs_nothing_that_a_sender_keeps() {
    sound(&chaos::wiped());
}

#[test]
fn fault_52_a_broker_set_back_that_uses_numbers_again_costs_nothing() {
    sound(&chaos::rolled_back());
}

#[test]
fn fault_53_a_bit_flipped_on_the_broker_s_disk_costs_nothing() {
    sound(&chaos::bit_flip());
}

#[test]
fn fault_56_a_second_without_the_broker_is_delay_and_nothing_else() {
    sound(&chaos::cut_for_a_second());
}

#[test]
fn fault_57_a_consumer_deleted_by_an_administrator_is_made_again_without_hands() {
    sound(&chaos::consumer_deleted());
}

#[test]
fn fault_57_a_consumer_replaced_by_one_that_can_not_be_set_back_is_made_anew_where_the_log_is() {
    sound(&chaos::consumer_replaced());
}

#[test]
fn fault_57_a_setting_changed_by_an_administrator_is_set_back_and_a_purge_is_refused() {
    sound(&chaos::setting_changed());
}

#[test]
fn fault_57_a_mailbox_deleted_by_an_administrator_is_made_again_and_asked_for() {
    sound(&chaos::stream_deleted());
}

#[test]
fn fault_58_a_second_reader_that_acknowledges_nothing_takes_nothing_away() {
    sound(&chaos::two_readers());
}

#[test]
fn fault_59_a_log_set_back_to_an_older_copy_reads_again_what_it_lost() {
    sound(&chaos::old_log());
}

#[test]
fn fault_61_subscribers_that_stand_still_end_with_the_board_and_every_event() {
    sound(&chaos::halted_subscribers());
}
