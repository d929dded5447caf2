//! What happens at a desk, one file to read for each story.

mod a_contested_answer;
mod a_crisis_at_three;
mod a_discharge_held_overnight;
mod a_promise_without_the_doctor;
mod a_tap_too_fast;
mod a_wlz_decision_during_the_stay;
mod nothing_found;
mod the_family_chooses;
mod the_wrong_bed;
