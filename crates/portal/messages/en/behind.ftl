### Where a number comes from.

behind = Where this number comes from
behind-row = The row of the board
behind-empty = The location has no beds of this care type now.
behind-last = Last event behind this row:
behind-closed = What is behind it, bed by bed and message by message, is for who works at the location or the desk, for the centre of the region, and for who may look back.
behind-now = Admittable now
behind-of = of { $count } available
behind-intake = Admissions
behind-no-limit = No stop, admission times or limit were given.
behind-report = What the location reported
behind-rest = What is not occupied, held or available counts as out of use.
behind-report-old = The report is older than what is searched.
behind-since = Since then
behind-since-none = Nothing was added or taken away since the report.
behind-more = And { $count } more before that.
behind-until = until { $until }
behind-in = counts in:
behind-more-beds = { $count ->
    [one] And one more bed.
   *[other] And { $count } more beds.
  }
behind-left-off = { $count ->
    [one] One bed is left off: this page shows no more than 80, the available ones first.
   *[other] { $count } beds are left off: this page shows no more than 80, the available ones first.
  }

said-closed = out of use: { $reason }
said-stopped = admissions stopped for the whole house: { $reason }
said-stopped-ward = admissions stopped on ward { $ward }: { $reason }
said-never = does not admit
said-windows = admits: { $windows }
said-limit = admits at most { $max } people, { $period } ({ $care })
said-counts = reported: { $physical } beds, { $occupied } occupied, { $offerable } available
said-held = held until { $until }
said-held-on = hold extended until { $until }
said-moved = moved from bed { $from } to bed { $to }
said-waits = waits for { $what }, since { $since }
said-left-ready = discharged, bed ready at once

said-location-registered = location registered
said-location-changed = details of the location changed
said-location-confirmed = everything still holds
said-location-admissions-resumed = admits again
said-bed-added = bed added
said-bed-changed = bed changed
said-bed-removed = bed removed
said-bed-opened = in use again
said-bed-staffed = staffed again
said-bed-unstaffed = no staff
said-bed-vacated = empty, to be cleaned
said-bed-freed = reported free
said-bed-contaminated = contaminated
said-bed-corrected = last message taken back
said-hold-released = hold released
said-hold-lapsed = hold lapsed
said-hold-overdue = hold overdue
said-stay-admitted = admitted
said-stay-move-cancelled = move taken back
said-stay-discharge-planned = discharge planned
said-stay-discharge-plan-withdrawn = day of discharge does not hold
said-stay-plan-set = plan for going home updated
said-stay-triage-reviewed = triage looked at again
said-stay-funding-switched = somebody else pays
said-stay-discharged = discharged, bed to be cleaned
said-stay-admission-cancelled = admission taken back
said-stay-discharge-cancelled = discharge taken back
behind-past = As known at { $at }: not what is so now
behind-today = The numbers of now
behind-then = Admittable then
