### A location's pages: beds, offers, arrivals, stays.

house-none = There are no locations that you work for. Ask the administrator of your organisation.
house-free = free
house-of-beds = { $count ->
    [one] of one bed
   *[other] of { $count } beds
  }
house-wards-stopped = { $count ->
    [one] Admissions stopped on one ward
   *[other] Admissions stopped on { $count } wards
  }
house-asked-count = { $count ->
    [one] One request waits
   *[other] { $count } requests wait
  }
house-confirm = All of it still holds
house-asked = Requests
house-asked-none = No request waits for an answer.
house-look = Look at the request
house-role = Your role
house-any-bed = A bed of this kind
house-promise = Promise a place
house-decline = No, because …
house-take-back = No place after all, because …
house-not-come = Undo the admission
house-promised = Promised from { $from }
house-declined = No: { $why }
house-arrivals = Who comes
house-arrivals-none = Nobody is expected.
house-wait = Waits for the desk's choice
house-answered = Answered
house-contest = We never gave this answer
house-contest-do = Contest the answer
house-record = Record
house-late = Happened at (empty: now)
house-beds = Beds
house-no-ward = Without a ward
house-counts-intro = Count what there is now. Places that are held do not count as available.
house-physical = Beds
house-count-this = Count this too
house-count = Record the count
house-freed = Free
house-vacated = Empty, being cleaned
house-clean = Being cleaned
house-opened = In use again
house-staffed = Staffed again
house-unstaffed = No staff
house-contaminated = Contaminated
house-occupied = Occupied
house-reserve = Keep in reserve
house-unreserve = Offer again
house-close = Out of use, because of:
house-more = Out of use, and more
house-undo = Undo the last tap
house-device = Requests, arrivals and stays are there for whoever signs in.
house-stopped-all = Admissions stopped for the whole house
house-resume = Admit again
house-why = Reason
house-review = Look at it again at
house-stop-all = Stop for the whole house
house-stop = Stop
house-today = Admissions today
house-today-none = No beds are known.
house-now = possible now
house-room = { $left ->
    [0] The agreed number of { $max } is reached.
   *[other] Within the agreed { $max }, { $left } more can come.
  }
house-windows = Admits:
house-windows-none = Admits at any moment; no hours were given.
house-stays = Stays
house-stays-none = Nobody stays here, as far as is known.
house-lost = Bed said to be empty; record the discharge
house-home = Going home
house-waits = Waits for
house-plan = plan
house-odd = Is this right?
house-odd-intro = What you said did not fit what was known. It stands as you said it; put right what is wrong with a new word.
bed-contaminated = contaminated
bed-stopped = admissions stopped
day-mo = Mon
day-tu = Tue
day-we = Wed
day-th = Thu
day-fr = Fri
day-sa = Sat
day-su = Sun
stay = Stay
stay-place = Where
stay-where = Location
stay-reviewed = Weighed again
stay-since = since
stay-closed = Discharged
stay-lost = This bed was said to be empty and no discharge was recorded. Record the discharge, or undo the last tap on the location's page.
stay-mistake = Repair a mistake
stay-cancel-discharge = Cancel the discharge
stay-cancel-discharge-hint = Until thirty days after the discharge, as long as the bed is free.
stay-cancel-admission = Cancel the admission
stay-cancel-admission-hint = Only if this admission never was; otherwise record the discharge.
stay-cancel-move = Cancel the move
stay-cancel-move-hint = Only if this move never was and the bed from before is still free; otherwise move again.
stay-move-from = Was in bed
stay-leave = Discharge
stay-destination = Where to
stay-hours = Hours of care at home per week
stay-ready = The bed is ready for the next at once
stay-discharge = Record the discharge
stay-plan = Plan for going home
stay-state = How far
stay-due = Done by
stay-save-plan = Record the plan
stay-day = Expected on
stay-not-planned = No date any more
stay-what = Waits for
stay-since-when = Since
stay-change = Change
stay-move-to = To bed
stay-move = Move
stay-funding = Who pays now
stay-and-waits = and waits for
stay-switch = Switch
stay-review = Triage looked at again: it is

hours-admits = admits { $hours }
hours-never = does not admit
hours-opens =
    { $count ->
        [one] one place again from { $at }
       *[other] { $count } places again from { $at }
    }
house-bed-facts = What the bed is and offers
