### What every page says, and the public pages.

skip = Skip to content
menu = Main menu
desks = Regional desks
desks-intro = If you are looking for a temporary bed for somebody, ring the desk of the region. The desk weighs the need, finds a place and stays your contact.
desk = Desk
hours = Answers
phone = Telephone
see-board = Availability
overview = National overview
overview-intro = Beds that are free and staffed now, per region. Whether somebody can be admitted now depends on the admission hours: the desk knows. One tile per care office region, all of one size.
map = Tile map of the regions
legend = Legend
level-some = three or more
level-few = one or two
level-none = none
level-unknown = nothing known
country = The Netherlands
availability = Availability
region = Region
per-care-type = Per care type
care-type = Care type
all-types = All care types
locations = Locations
no-rows = Nothing is known for this choice in this region yet. Ring the desk.
sieve = Filter
sieve-needs = There is a bed with
sieve-when = Only where
sieve-free = free and staffed now
sieve-admits = admitting now
sieve-do = Show these locations
sieve-only = Only with: { $what }.
sieve-shown = { $count ->
    [0] No location has this.
    [one] One location is shown below.
   *[other] { $count } locations are shown below.
  }
sieve-hidden = { $count ->
    [0] No location is hidden.
    [one] One location is hidden.
   *[other] { $count } locations are hidden.
  }
sieve-unsaid = { $count ->
    [one] One of those does not say what its beds have: ring to ask.
   *[other] { $count } of those do not say what their beds have: ring to ask.
  }
sieve-sums = The numbers per care type are those of the whole region.
sieve-all = Show all
sieve-refused = Whoever is signed in as a desk, a referrer or a coordination centre can filter on what beds have and on who admits now. It was not done here.
offerable = free and staffed
offerable-hint = Free, clean, open and staffed. Whether somebody can be admitted now depends on the admission hours of the location: call the desk.
possible = can be admitted now
also = also usable
also-hint = Available beds of another care type that can be used for this one too
held = reserved
not-ready = being cleaned
occupied = occupied
waiting = of which waiting
waiting-hint = Could leave, but waits for a next place or for care at home
closed = closed
unstaffed = no staff
reserve = in reserve
reserve-hint = To be asked for: ring the location
total = beds
last-word = last word
stale = over a day old: ring to ask whether this still holds
stopped = Admissions stopped
stopped-wards = Admissions stopped on ward
stop-told = { $reason }, since { $at }
stop-since = since { $at }
stop-review = looked at again: { $at }
reported = reported
reported-hint = Counts as the location reported them, not kept bed by bed
day = by day
night = at night
no-phone = no number known: ring the desk
contradictions = Contradictions
contradictions-intro = What came in and did not fit what we believed. The message is recorded; whoever knows better sets it right with a new message.
contradictions-none = No contradictions in this region.
contradictions-more = The newest are shown; kept for this region in all:
position = position
bed = bed
as-of = last message
live = live
catching-up = catching up
silent = No connection to the beds any more. This is how it stood at %t; it may have changed since. Ring to be sure.
trouble = Something is out of order: new messages are not being processed. This is how it stood at %t. Ring to be sure.
no-script = This page does not refresh by itself: reload it for the latest.
other-language = Nederlands
zone = All times are Dutch time.
just-now = just now
hour-unit = h
day-unit = d
back = To the national overview
form-lacks = Still to be filled in: { $field }. Nothing was recorded.
form-beyond = A number in the form can not be: it is { $min } to { $max }. Nothing was recorded.
form-misfilled = A date, number or choice in the form can not be read. Look it over; nothing was recorded.
form-kept = What you filled in is still there:
form-kept-link = to the form
form-back = Back to the page
form-back-hint = What you wrote yourself stands above, to take over.
teller = { $name } ({ $role })
teller-desk = desk
teller-location = location
teller-referrer = referrer
teller-centre = care coordination
teller-node = Doorstroom
paper-stands = As of
paper-later = Things may have changed since: ring.
