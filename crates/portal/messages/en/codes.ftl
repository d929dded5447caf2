### Words for the codes of the contract.

care-ELV_LC = Primary care stay, low complexity
care-ELV_HC = Primary care stay, high complexity
care-ELV_PTZ = Primary care stay, palliative
care-GRZ = Geriatric rehabilitation
care-WLZ_CRISIS = Long-term care, crisis
care-WLZ_OBS = Long-term care, observation
care-RESPIJT = Respite care
care-WMO_SPOED = Social support, emergency
care-SPOEDBED = Emergency bed
care-GZSP = Care for specific patients
care-WIJKVERPL = District nursing
care-GGZ = Mental health care
care-IBS_RM = Compulsory admission (Wzd)
care-HOSPICE = Hospice
care-other = Another care type

urgency-crisis = Crisis
urgency-urgent = Urgent
urgency-planned = Planned

origin-gp = GP
origin-gp-post = GP out-of-hours post
origin-emergency-department = Emergency department
origin-hospital-ward = Hospital ward
origin-district-nursing = District nursing
origin-ambulance = Ambulance
origin-care-home = Care home
origin-psychiatry = Psychiatry
origin-self = Client or family
origin-other = Other

destination-home-without-care = Home without care
destination-home-with-care = Home with care
destination-family = To family
destination-wlz-same-house = Long-term care, same house
destination-wlz-elsewhere = Long-term care elsewhere
destination-hospital = Hospital
destination-grz = Geriatric rehabilitation
destination-elv-other = Another ELV bed
destination-hospice = Hospice
destination-psychiatry = Psychiatry
destination-died = Died
destination-other = Other

waits-wlz-place = Long-term care place
waits-home-care = Care at home
waits-home-adaptation = Adaptation of the home
waits-grz-place = Rehabilitation place
waits-hospice-place = Hospice place
waits-other = Something else
waits-none = Waits no longer

decline-not-free-after-all = Not free after all
decline-no-staff = No staff
decline-cannot-provide-care = Cannot provide this care
decline-isolation = No isolation possible
decline-behaviour = Behaviour
decline-equipment = Equipment missing
decline-no-doctor-cover = No doctor cover
decline-triage-disagreement = Disagrees with the triage
decline-contract = No contract
decline-distance-or-wish = Distance or wish
decline-too-late = Too late
decline-no-answer = No answer
decline-other = Other

closed-maintenance = Maintenance
closed-infection = Infection
closed-no-furniture = No furniture
closed-kept-by-location = Kept by the location
closed-other = Other

stop-infection = Infection
stop-staffing = Staffing
stop-building = Building
stop-calamity = Calamity
stop-other = Other

withdrawn-recovered = Recovered
withdrawn-died = Died
withdrawn-found-elsewhere = Found elsewhere
withdrawn-refuses = Refuses
withdrawn-duplicate = Duplicate
withdrawn-other = Other

diverted-hospital = Hospital
diverted-home-with-care = Home with care
diverted-other-desk = Another desk
diverted-psychiatry = Psychiatry
diverted-other = Other

raised-insurer = Insurer
raised-care-office = Care office
raised-nza = NZa (authority)
raised-other = Other

feature-single-room = Single room
feature-same-sex-room = Same-sex room
feature-isolation = Isolation
feature-hoist = Hoist
feature-bariatric = Bariatric bed
feature-closed-ward = Closed ward
feature-oxygen = Oxygen
feature-iv = IV
feature-tube-feeding = Tube feeding
feature-wound-vac = Wound vac
feature-dialysis-transport = Dialysis transport
feature-tracheostomy = Tracheostomy
feature-wheelchair = Wheelchair
feature-couple = Couple
feature-smoking = Smoking
feature-pet = Pet

purpose-recovery = Recovery
purpose-observation = Observation
purpose-diagnostics = Diagnostics
purpose-palliative = Palliative
purpose-respite = Respite
purpose-crisis = Crisis

age-under-65 = Under 65
age-65-69 = 65–69
age-70-74 = 70–74
age-75-79 = 75–79
age-80-84 = 80–84
age-85-89 = 85–89
age-90-plus = 90 and over

role-nurse = Nurse
role-doctor = Doctor
role-desk = Desk
role-coordinator = Coordinator
role-planner = Planner

plan-network = Family and network
plan-home-adaptation = Adaptation of the home
plan-aid = Aids
plan-technology = Care technology
plan-care-at-home = Care at home

step-open = Open
step-arranged = Arranged
step-done = Done
step-not-needed = Not needed

period-day = Per day
period-week = Per week

contact-call = Call
contact-mail = E-mail
contact-message = Message



bed-occupied = occupied
bed-held = held
bed-not-ready = being cleaned
bed-closed = closed
bed-unstaffed = unstaffed
bed-reserve = in reserve
bed-offerable = free

offer-sent = asked
offer-seen = seen
offer-accepted = promised
offer-declined = declined
offer-lapsed = lapsed
offer-revoked = revoked

end-admitted = Admitted
end-withdrawn = Withdrawn
end-diverted = Solved otherwise
end-unplaced = Nothing found

month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec

odd-answer-contested = The answer is contested
odd-promised-too-late = Promised after the end
odd-admitted-without-agreement = Admitted without the doctor's agreement
odd-admitted-elsewhere = Admitted elsewhere than was chosen
odd-admitted-after-end = Admitted after the end

happened-arrival-agreed = Arrival agreed
happened-bed-added = Bed added
happened-bed-changed = Bed changed
happened-bed-closed = Bed closed
happened-bed-contaminated = Bed contaminated
happened-bed-corrected = Word about a bed taken back
happened-bed-freed = Bed freed
happened-bed-opened = Bed opened
happened-bed-removed = Bed removed
happened-bed-staffed = Bed staffed
happened-bed-unstaffed = Bed unstaffed
happened-bed-vacated = Bed vacated
happened-contact-logged = Contact logged
happened-desk-confirmation-asked = Asked whether it still holds
happened-desk-duty-handed-over = Duty handed over
happened-desk-duty-taken-back = Duty taken back
happened-hold-extended = Hold extended
happened-hold-granted = Place held
happened-hold-lapsed = Hold lapsed
happened-hold-overdue = Hold overdue
happened-hold-released = Hold released
happened-location-admissions-resumed = Admissions resumed
happened-location-admissions-stopped = Admissions stopped
happened-location-changed = Location changed
happened-location-confirmed = Confirmed
happened-location-counts-reported = Counts reported
happened-location-intake-limit-set = Intake limit set
happened-location-registered = Location registered
happened-location-windows-set = Admission hours set
happened-location-withdrawn = Location withdrew
happened-offer-accepted = Place promised
happened-offer-chosen = Place chosen
happened-offer-contested = Answer contested
happened-offer-declined = Declined
happened-offer-lapsed = Offer lapsed
happened-offer-medically-agreed = Admitting doctor agreed
happened-offer-revoked = Offer revoked
happened-offer-seen = Offer seen
happened-offer-sent = Offered
happened-referral-changed = Referral changed
happened-referral-diverted = Diverted
happened-referral-escalated = Handed to another desk
happened-referral-expired-unplaced = Nothing found
happened-referral-made = Referral made
happened-referral-matched = List made
happened-referral-raised = Raised
happened-referral-taken-over = Taken over
happened-referral-triaged = Triaged
happened-referral-withdrawn = Referral withdrawn
happened-ruleset-switched = Rules switched
happened-stay-admission-cancelled = Admission cancelled
happened-stay-admitted = Admitted
happened-stay-discharge-cancelled = Discharge cancelled
happened-stay-discharge-plan-withdrawn = Planned discharge withdrawn
happened-stay-discharge-planned = Discharge planned
happened-stay-discharged = Discharged
happened-stay-funding-switched = Funding switched
happened-stay-move-cancelled = Move cancelled
happened-stay-moved = Moved
happened-stay-plan-set = Plan for home
happened-stay-triage-reviewed = Triage reviewed
happened-stay-waiting-for = Waits

about-region = region
about-location = location
about-bed = bed
about-stay = stay
about-referral = referral
about-offer = offer

field-answers = the answers to the questions
field-to = whom (choose or tick at least one)
field-origin = who asks
field-urgency = how soon
field-decided_by = who decided
field-reason = the reason
field-code = why not
field-spoken_with = whom you spoke with
field-arrives_at = when somebody arrives
field-until = until when
field-from = from when
field-with = with whom
field-minutes = how many minutes
field-kind = which kind
field-place = the place
field-bed = the bed
field-care_type = the care type
field-outcome = the outcome
field-what = what it waits for
field-since = since when
field-funding = who pays
field-destination = where to
field-role = who you are
field-location = the location
field-private = who it is, and what else the location should know
field-about = what about
field-transport = the transport
field-care_types = which care
field-windows = at least one time that holds
field-days = which days
field-facts = what the bed is for
field-name = the name
field-provider = the organisation
field-max = how many at most
field-other = a field that has to be filled in
care-HOSPITAL = Hospital
sex-other = Other
payer-Zvw = Zvw (health insurance)
payer-Wlz = Wlz (long-term care)
payer-Wmo = Wmo (municipality)
payer-self = Themselves
payer-other = Other
