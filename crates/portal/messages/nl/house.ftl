### De bladzijden van een locatie: bedden, aanvragen, aankomsten, verblijven.

house-none = Er zijn geen locaties waar u voor werkt. Vraag de beheerder van uw organisatie.
house-free = vrij
house-of-beds = { $count ->
    [one] van één bed
   *[other] van { $count } bedden
  }
house-wards-stopped = { $count ->
    [one] Opnamestop op één afdeling
   *[other] Opnamestop op { $count } afdelingen
  }
house-asked-count = { $count ->
    [one] Eén aanvraag wacht
   *[other] { $count } aanvragen wachten
  }
house-confirm = Alles klopt nog
house-asked = Aanvragen
house-asked-none = Er wacht geen aanvraag op antwoord.
house-look = Bekijk de aanvraag
house-role = Uw rol
house-any-bed = Een bed van deze soort
house-promise = Plek toezeggen
house-decline = Nee, omdat …
house-take-back = Toch geen plek, omdat …
house-not-come = Opname ongedaan maken
house-promised = Toegezegd vanaf { $from }
house-declined = Nee: { $why }
house-arrivals = Wie komt
house-arrivals-none = Er wordt niemand verwacht.
house-wait = Wacht op de keuze van het loket
house-answered = Al beantwoord
house-contest = Dit antwoord hebben wij niet gegeven
house-contest-do = Antwoord betwisten
house-record = Vastleggen
house-late = Gebeurd om (leeg: nu)
house-beds = Bedden
house-no-ward = Zonder afdeling
house-counts-intro = Tel wat er nu is. Gereserveerde plekken tellen niet mee als beschikbaar.
house-physical = Bedden
house-count-this = Ook dit tellen
house-count = Telling vastleggen
house-freed = Vrij
house-vacated = Leeg, wordt schoongemaakt
house-clean = Wordt schoongemaakt
house-opened = Weer in gebruik
house-staffed = Weer personeel
house-unstaffed = Geen personeel
house-contaminated = Besmet
house-occupied = Bezet
house-reserve = Achter de hand houden
house-unreserve = Weer aanbieden
house-close = Buiten gebruik, want:
house-more = Buiten gebruik en meer
house-undo = Laatste tik ongedaan maken
house-device = Aanvragen, aankomsten en verblijven zijn er voor wie zich aanmeldt.
house-stopped-all = Opnamestop voor het hele huis
house-resume = Weer opnemen
house-why = Reden
house-review = Opnieuw bekijken om
house-stop-all = Stop voor het hele huis
house-stop = Stop
house-today = Opnames vandaag
house-today-none = Er zijn geen bedden bekend.
house-now = kan nu
house-room = { $left ->
    [0] Het afgesproken aantal van { $max } is bereikt.
   *[other] Binnen de afgesproken { $max } kunnen er nog { $left } bij.
  }
house-windows = Neemt op:
house-windows-none = Neemt op elk moment op; er zijn geen tijden opgegeven.
house-stays = Verblijven
house-stays-none = Er verblijft niemand, voor zover bekend.
house-lost = Bed leeg gemeld; leg het ontslag vast
house-home = Naar huis
house-waits = Wacht op
house-plan = plan
house-odd = Klopt dit?
house-odd-intro = Wat u meldde paste niet bij wat bekend was. Het staat vast zoals u het zei; zet recht wat niet klopt met een nieuwe melding.
bed-contaminated = besmet
bed-stopped = opnamestop
day-mo = ma
day-tu = di
day-we = wo
day-th = do
day-fr = vr
day-sa = za
day-su = zo
stay = Verblijf
stay-place = Waar
stay-where = Locatie
stay-reviewed = Opnieuw gewogen
stay-since = sinds
stay-closed = Ontslagen
stay-lost = Dit bed is leeg gemeld en er is geen ontslag vastgelegd. Leg het ontslag vast, of maak de laatste tik op de bladzijde van de locatie ongedaan.
stay-mistake = Vergissing herstellen
stay-cancel-discharge = Ontslag terugdraaien
stay-cancel-discharge-hint = Kan tot dertig dagen na het ontslag, zolang het bed vrij is.
stay-cancel-admission = Opname terugdraaien
stay-cancel-admission-hint = Alleen als deze opname er nooit was; anders legt u het ontslag vast.
stay-cancel-move = Verplaatsing terugdraaien
stay-cancel-move-hint = Alleen als deze verplaatsing er nooit was en het bed van eerder nog vrij is; anders verplaatst u opnieuw.
stay-move-from = Lag in bed
stay-leave = Ontslag
stay-destination = Waarheen
stay-hours = Uren zorg thuis per week
stay-ready = Het bed is meteen klaar voor de volgende
stay-discharge = Ontslag vastleggen
stay-plan = Plan voor naar huis
stay-state = Hoe ver
stay-due = Klaar op
stay-save-plan = Plan vastleggen
stay-day = Verwacht op
stay-not-planned = Geen datum meer
stay-what = Wacht op
stay-since-when = Sinds
stay-change = Wijzigen
stay-move-to = Naar bed
stay-move = Verplaatsen
stay-funding = Wie betaalt nu
stay-and-waits = en wacht op
stay-switch = Wisselen
stay-review = Triage nog eens bekeken: het is

hours-admits = neemt op { $hours }
hours-never = neemt niet op
hours-opens =
    { $count ->
        [one] vanaf { $at } weer één plek
       *[other] vanaf { $at } weer { $count } plekken
    }
house-bed-facts = Wat het bed is en biedt
