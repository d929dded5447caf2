### Waar een getal vandaan komt.

behind = Waar dit cijfer vandaan komt
behind-row = De regel van het overzicht
behind-empty = Van deze zorgsoort heeft de locatie nu geen bedden.
behind-last = Laatste gebeurtenis achter deze regel:
behind-closed = Wat hierachter zit, bed voor bed en bericht voor bericht, is er voor wie bij de locatie of het loket werkt, voor het centrum van de regio en voor wie mag terugkijken.
behind-now = Nu op te nemen
behind-of = van { $count } beschikbaar
behind-intake = Opname
behind-no-limit = Er is geen opnamestop, opnametijd of grens opgegeven.
behind-report = Wat de locatie opgaf
behind-rest = Wat niet bezet, gereserveerd of beschikbaar is, telt als buiten gebruik.
behind-report-old = De opgave is ouder dan waar gezocht wordt.
behind-since = Sindsdien
behind-since-none = Sinds de opgave is hier niets bij gekomen of af gegaan.
behind-more = En nog { $count } daarvoor.
behind-until = tot { $until }
behind-in = telt mee in:
behind-more-beds = { $count ->
    [one] En nog één bed.
   *[other] En nog { $count } bedden.
  }
behind-left-off = { $count ->
    [one] Eén bed staat er niet bij: deze bladzijde toont er niet meer dan 80, de beschikbare eerst.
   *[other] { $count } bedden staan er niet bij: deze bladzijde toont er niet meer dan 80, de beschikbare eerst.
  }

said-closed = buiten gebruik: { $reason }
said-stopped = opnamestop voor het hele huis: { $reason }
said-stopped-ward = opnamestop op afdeling { $ward }: { $reason }
said-never = neemt niet op
said-windows = neemt op: { $windows }
said-limit = neemt hoogstens { $max } mensen op, { $period } ({ $care })
said-counts = opgegeven: { $physical } bedden, { $occupied } bezet, { $offerable } beschikbaar
said-held = gereserveerd tot { $until }
said-held-on = reservering verlengd tot { $until }
said-moved = verplaatst van bed { $from } naar bed { $to }
said-waits = wacht op { $what }, sinds { $since }
said-left-ready = ontslagen, bed meteen klaar

said-location-registered = locatie aangemeld
said-location-changed = gegevens van de locatie gewijzigd
said-location-confirmed = alles klopt nog
said-location-admissions-resumed = neemt weer op
said-bed-added = bed toegevoegd
said-bed-changed = bed gewijzigd
said-bed-removed = bed weggehaald
said-bed-opened = weer in gebruik
said-bed-staffed = weer personeel
said-bed-unstaffed = geen personeel
said-bed-vacated = leeg, wordt schoongemaakt
said-bed-freed = vrij gemeld
said-bed-contaminated = besmet
said-bed-corrected = laatste melding teruggedraaid
said-hold-released = reservering losgelaten
said-hold-lapsed = reservering verlopen
said-hold-overdue = reservering over tijd
said-stay-admitted = opgenomen
said-stay-move-cancelled = verplaatsing teruggedraaid
said-stay-discharge-planned = ontslag gepland
said-stay-discharge-plan-withdrawn = ontslagdag vervalt
said-stay-plan-set = plan voor naar huis bijgewerkt
said-stay-triage-reviewed = triage nog eens bekeken
said-stay-funding-switched = bekostiging gewijzigd
said-stay-discharged = ontslagen, bed wordt schoongemaakt
said-stay-admission-cancelled = opname teruggedraaid
said-stay-discharge-cancelled = ontslag teruggedraaid
behind-past = Zoals bekend op { $at }: niet wat er nu is
behind-today = De cijfers van nu
behind-then = Toen op te nemen
