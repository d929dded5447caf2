### Woorden voor de codes van het contract.

care-ELV_LC = ELV laag complex
care-ELV_HC = ELV hoog complex
care-ELV_PTZ = ELV palliatief
care-GRZ = Geriatrische revalidatie
care-WLZ_CRISIS = Wlz-crisisplek
care-WLZ_OBS = Wlz-observatie
care-RESPIJT = Respijtzorg
care-WMO_SPOED = Wmo-spoedopvang
care-SPOEDBED = Spoedbed
care-GZSP = Zorg specifieke groepen
care-WIJKVERPL = Wijkverpleging
care-GGZ = Geestelijke gezondheidszorg
care-IBS_RM = Gedwongen opname (Wzd)
care-HOSPICE = Hospice
care-other = Andere zorgsoort

urgency-crisis = Crisis
urgency-urgent = Spoed
urgency-planned = Gepland

origin-gp = Huisarts
origin-gp-post = Huisartsenpost
origin-emergency-department = Spoedeisende hulp
origin-hospital-ward = Verpleegafdeling ziekenhuis
origin-district-nursing = Wijkverpleging
origin-ambulance = Ambulance
origin-care-home = Verpleeghuis
origin-psychiatry = Psychiatrie
origin-self = Cliënt of familie
origin-other = Anders

destination-home-without-care = Naar huis zonder zorg
destination-home-with-care = Naar huis met zorg
destination-family = Naar familie
destination-wlz-same-house = Wlz in hetzelfde huis
destination-wlz-elsewhere = Wlz elders
destination-hospital = Ziekenhuis
destination-grz = Geriatrische revalidatie
destination-elv-other = Ander ELV-bed
destination-hospice = Hospice
destination-psychiatry = Psychiatrie
destination-died = Overleden
destination-other = Anders

waits-wlz-place = Wlz-plek
waits-home-care = Zorg thuis
waits-home-adaptation = Aanpassing van de woning
waits-grz-place = GRZ-plek
waits-hospice-place = Hospiceplek
waits-other = Iets anders
waits-none = Wacht niet meer

decline-not-free-after-all = Toch niet vrij
decline-no-staff = Geen personeel
decline-cannot-provide-care = Kan deze zorg niet geven
decline-isolation = Geen isolatie mogelijk
decline-behaviour = Gedrag
decline-equipment = Hulpmiddel ontbreekt
decline-no-doctor-cover = Geen arts beschikbaar
decline-triage-disagreement = Oneens met de triage
decline-contract = Geen contract
decline-distance-or-wish = Afstand of wens
decline-too-late = Te laat
decline-no-answer = Geen antwoord
decline-other = Anders

closed-maintenance = Onderhoud
closed-infection = Infectie
closed-no-furniture = Geen inrichting
closed-kept-by-location = Door de locatie bewaard
closed-other = Anders

stop-infection = Infectie
stop-staffing = Personeel
stop-building = Gebouw
stop-calamity = Calamiteit
stop-other = Anders

withdrawn-recovered = Hersteld
withdrawn-died = Overleden
withdrawn-found-elsewhere = Elders gevonden
withdrawn-refuses = Wil niet
withdrawn-duplicate = Dubbel
withdrawn-other = Anders

diverted-hospital = Ziekenhuis
diverted-home-with-care = Naar huis met zorg
diverted-other-desk = Ander loket
diverted-psychiatry = Psychiatrie
diverted-other = Anders

raised-insurer = Zorgverzekeraar
raised-care-office = Zorgkantoor
raised-nza = NZa
raised-other = Anders

feature-single-room = Eenpersoonskamer
feature-same-sex-room = Kamer met hetzelfde geslacht
feature-isolation = Isolatie
feature-hoist = Tillift
feature-bariatric = Bariatrisch bed
feature-closed-ward = Gesloten afdeling
feature-oxygen = Zuurstof
feature-iv = Infuus
feature-tube-feeding = Sondevoeding
feature-wound-vac = Wondvacuüm
feature-dialysis-transport = Vervoer naar dialyse
feature-tracheostomy = Tracheostoma
feature-wheelchair = Rolstoel
feature-couple = Echtpaar
feature-smoking = Roken
feature-pet = Huisdier

purpose-recovery = Herstel
purpose-observation = Observatie
purpose-diagnostics = Diagnostiek
purpose-palliative = Palliatief
purpose-respite = Respijt
purpose-crisis = Crisis

age-under-65 = Onder 65
age-65-69 = 65–69
age-70-74 = 70–74
age-75-79 = 75–79
age-80-84 = 80–84
age-85-89 = 85–89
age-90-plus = 90 en ouder

role-nurse = Verpleegkundige
role-doctor = Arts
role-desk = Loket
role-coordinator = Coördinator
role-planner = Planner

plan-network = Mantelzorg en netwerk
plan-home-adaptation = Aanpassing van de woning
plan-aid = Hulpmiddelen
plan-technology = Zorgtechnologie
plan-care-at-home = Zorg thuis

step-open = Open
step-arranged = Geregeld
step-done = Klaar
step-not-needed = Niet nodig

period-day = Per dag
period-week = Per week

contact-call = Telefoon
contact-mail = E-mail
contact-message = Bericht



bed-occupied = bezet
bed-held = gereserveerd
bed-not-ready = wordt schoongemaakt
bed-closed = buiten gebruik
bed-unstaffed = geen personeel
bed-reserve = achter de hand
bed-offerable = vrij

offer-sent = gevraagd
offer-seen = bekeken
offer-accepted = toegezegd
offer-declined = nee
offer-lapsed = verlopen
offer-revoked = ingetrokken

end-admitted = Opgenomen
end-withdrawn = Ingetrokken
end-diverted = Anders opgelost
end-unplaced = Niets gevonden

month-1 = jan
month-2 = feb
month-3 = mrt
month-4 = apr
month-5 = mei
month-6 = jun
month-7 = jul
month-8 = aug
month-9 = sep
month-10 = okt
month-11 = nov
month-12 = dec

odd-answer-contested = Het antwoord wordt betwist
odd-promised-too-late = Toegezegd na het einde
odd-admitted-without-agreement = Opgenomen zonder akkoord van de arts
odd-admitted-elsewhere = Ergens anders opgenomen dan gekozen
odd-admitted-after-end = Opgenomen na het einde

happened-arrival-agreed = Aankomst afgesproken
happened-bed-added = Bed toegevoegd
happened-bed-changed = Bed gewijzigd
happened-bed-closed = Bed buiten gebruik
happened-bed-contaminated = Bed besmet
happened-bed-corrected = Melding over een bed teruggenomen
happened-bed-freed = Bed vrij
happened-bed-opened = Bed weer in gebruik
happened-bed-removed = Bed weggehaald
happened-bed-staffed = Bed weer bemand
happened-bed-unstaffed = Bed zonder personeel
happened-bed-vacated = Bed verlaten
happened-contact-logged = Contact genoteerd
happened-desk-confirmation-asked = Gevraagd of de stand nog klopt
happened-desk-duty-handed-over = Dienst overgedragen
happened-desk-duty-taken-back = Dienst teruggenomen
happened-hold-extended = Reservering verlengd
happened-hold-granted = Plek gereserveerd
happened-hold-lapsed = Reservering verlopen
happened-hold-overdue = Reservering over tijd
happened-hold-released = Reservering losgelaten
happened-location-admissions-resumed = Opnamestop voorbij
happened-location-admissions-stopped = Opnamestop
happened-location-changed = Locatie gewijzigd
happened-location-confirmed = Stand bevestigd
happened-location-counts-reported = Telling
happened-location-intake-limit-set = Opnamelimiet
happened-location-registered = Locatie aangemeld
happened-location-windows-set = Opnametijden
happened-location-withdrawn = Locatie doet niet meer mee
happened-offer-accepted = Plek toegezegd
happened-offer-chosen = Plek gekozen
happened-offer-contested = Antwoord betwist
happened-offer-declined = Nee gezegd
happened-offer-lapsed = Vraag verlopen
happened-offer-medically-agreed = Akkoord opnemend arts
happened-offer-revoked = Vraag ingetrokken
happened-offer-seen = Vraag bekeken
happened-offer-sent = Voorgelegd
happened-referral-changed = Aanmelding gewijzigd
happened-referral-diverted = Anders opgelost
happened-referral-escalated = Overgedragen aan een ander loket
happened-referral-expired-unplaced = Niets gevonden
happened-referral-made = Aangemeld
happened-referral-matched = Lijst gemaakt
happened-referral-raised = Hogerop voorgelegd
happened-referral-taken-over = Overgenomen
happened-referral-triaged = Getrieerd
happened-referral-withdrawn = Aanmelding ingetrokken
happened-ruleset-switched = Andere regels
happened-stay-admission-cancelled = Opname teruggedraaid
happened-stay-admitted = Opgenomen
happened-stay-discharge-cancelled = Ontslag teruggedraaid
happened-stay-discharge-plan-withdrawn = Ontslagdatum vervallen
happened-stay-discharge-planned = Ontslag gepland
happened-stay-discharged = Ontslagen
happened-stay-funding-switched = Andere financiering
happened-stay-move-cancelled = Verhuizing teruggedraaid
happened-stay-moved = Verhuisd
happened-stay-plan-set = Plan voor naar huis
happened-stay-triage-reviewed = Triage herzien
happened-stay-waiting-for = Wacht op vervolg

about-region = regio
about-location = locatie
about-bed = bed
about-stay = verblijf
about-referral = aanmelding
about-offer = vraag

field-answers = de antwoorden op de vragen
field-to = aan wie (kies of vink er ten minste één aan)
field-origin = wie vraagt
field-urgency = hoe snel
field-decided_by = wie besliste
field-reason = de reden
field-code = waarom niet
field-spoken_with = met wie u sprak
field-arrives_at = wanneer iemand aankomt
field-until = tot wanneer
field-from = vanaf wanneer
field-with = met wie
field-minutes = hoeveel minuten
field-kind = welke soort
field-place = de plek
field-bed = het bed
field-care_type = de zorgsoort
field-outcome = de uitkomst
field-what = waarop het wacht
field-since = sinds wanneer
field-funding = wie betaalt
field-destination = waarheen
field-role = wie u bent
field-location = de locatie
field-private = wie het is, en wat de locatie verder moet weten
field-about = waarover
field-transport = het vervoer
field-care_types = welke zorg
field-windows = ten minste één tijd die geldt
field-days = welke dagen
field-facts = waar het bed voor is
field-name = de naam
field-provider = de organisatie
field-max = hoeveel ten hoogste
field-other = een veld dat ingevuld moet worden
care-HOSPITAL = Ziekenhuis
sex-other = Anders
payer-Zvw = Zvw (zorgverzekering)
payer-Wlz = Wlz
payer-Wmo = Wmo (gemeente)
payer-self = Zelf
payer-other = Anders
