### The regions of a coordination centre.

centre-ask = A bed for this patient, now
centre-area = Postcode (2 digits are enough)
centre-area-title = Two to four digits, or a whole postcode such as 1234 AB
centre-area-read = Distances are counted from postcode area { $area }..
centre-urgency = How urgent
centre-needs = What has to be there
centre-find = Find a bed
centre-area-wrong = That is no postcode: type 2 to 4 digits, beginning with 10 to 99, or a whole one such as 1234 AB. The distance is not counted now.
centre-answer = Who can
centre-can =
    { $count ->
        [one] One location can now
       *[other] { $count } locations can now
    }
centre-nobody = No location in your regions can take this now. See below who is near and why not, or ring a desk.
centre-nobody-near = No location in your regions can take this now. Ring a desk.
centre-how-far = distance not known: this location gave no postcode
centre-not-asked-far = type a postcode for the distance
centre-free = { $count } free
centre-free-of = admits { $count } now, { $free } free
centre-score = Why here ({ $score } of 100)
centre-more = And { $count } more.
centre-cannot = Near, and can not ({ $count })
centre-not-listed = { $count } other locations do not give this care, or are further away.
centre-alarms = Alerts
centre-quiet = There is nothing now that you asked to be told of.
centre-no-rules = No alerts are set for this centre yet. The administrator puts them in the network file.
centre-since = since { $at }
centre-offerable-below = { $care }: { $count } free, fewer than { $below }
centre-crisis-unplaced =
    { $count ->
        [one] One crisis referral without a place for more than { $minutes } minutes
       *[other] { $count } crisis referrals without a place for more than { $minutes } minutes
    }
centre-location-silent = { $name }: nothing heard for { $hours } hours
centre-region-silent = Nothing heard of any location for { $hours } hours
centre-crises = Crisis referrals
centre-open = open
centre-promised = of which promised
centre-placeless-hint = Without a place: nothing is kept yet. Promised: a location said yes, the desk has one chosen.
centre-placeless = without a place
centre-regions = Regions
centre-paper = Call list: who has a bed
centre-paper-hint = Print this page: on paper there are only the alerts and this list, with the time. For when all is down.
centre-location = Location
centre-free-beds = Free beds
centre-also = { $count } also usable
centre-none-free = Nowhere in your regions somebody can be admitted now.
centre-admits = Can admit now
centre-admits-later = Has a free bed, but does not admit now
centre-from = from { $at }
