//! Houses of the page tests: two in zk01, of two beds and of one, and one in zk02.

use super::event_of;

/// They register and name their beds, all free.
pub(crate) fn houses() -> Vec<String> {
    let mut lines = Vec::new();
    let all = [("zk01-de-linde", "zk01", 2), ("zk01-de-beuk", "zk01", 1), ("zk02-de-eik", "zk02", 1)];
    for (number, (house, region, beds)) in (0_u32..).zip(all) {
        let profile = format!(
            r#""location":"{house}","provider":"p","name":"{house}","mode":"beds","care_types":["ELV_LC"],"phone":"020-000 00 01","phone_night":"020-000 00 02","wards":["Zuid"]"#
        );
        lines.push(event_of(region, number * 100 + 1, "location.registered", house, &profile));
        for bed in 1..=beds {
            let about =
                format!(r#""location":"{house}","bed":"{bed}","care_types":["ELV_LC"],"ward":"Zuid""#);
            lines.push(event_of(
                region,
                number * 100 + 10 + bed,
                "bed.added",
                &format!("{house}/{bed}"),
                &about,
            ));
        }
    }
    lines
}
