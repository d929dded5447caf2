### Wat elke bladzijde zegt, en de openbare bladzijden.

skip = Naar de inhoud
menu = Hoofdmenu
desks = Regioloketten
desks-intro = Zoekt u voor iemand een tijdelijk bed, bel dan het loket van de regio. Het loket weegt mee, zoekt een plek en blijft het aanspreekpunt.
desk = Loket
hours = Bereikbaar
phone = Telefoon
see-board = Beschikbaarheid
overview = Landelijk overzicht
overview-intro = Bedden die nu vrij en bemand zijn, per regio. Of er nu ook iemand kan worden opgenomen, hangt af van de opnametijden: het loket weet dat. Eén tegel per zorgkantoorregio, allemaal even groot.
map = Tegelkaart van de regio's
legend = Legenda
level-some = drie of meer
level-few = een of twee
level-none = geen
level-unknown = geen opgave
country = Nederland
availability = Beschikbaarheid
region = Regio
per-care-type = Per zorgsoort
care-type = Zorgsoort
all-types = Alle zorgsoorten
locations = Locaties
no-rows = Van deze keuze is in deze regio nog niets bekend. Bel het loket.
sieve = Filteren
sieve-needs = Er is een bed met
sieve-when = Alleen waar
sieve-free = nu vrij en bemand
sieve-admits = nu op te nemen
sieve-do = Toon deze locaties
sieve-only = Alleen met: { $what }.
sieve-shown = { $count ->
    [0] Geen locatie heeft dit.
    [one] Eén locatie staat hieronder.
   *[other] { $count } locaties staan hieronder.
  }
sieve-hidden = { $count ->
    [0] Er is geen locatie verborgen.
    [one] Eén locatie is verborgen.
   *[other] { $count } locaties zijn verborgen.
  }
sieve-unsaid = { $count ->
    [one] Eén daarvan zegt niet wat de bedden hebben: bel om het te vragen.
   *[other] { $count } daarvan zeggen niet wat de bedden hebben: bel om het te vragen.
  }
sieve-sums = De aantallen per zorgsoort zijn die van de hele regio.
sieve-all = Toon alles
sieve-refused = Filteren op wat bedden hebben en op wie nu opneemt, kan wie is ingelogd als loket, verwijzer of zorgcoördinatie. Daarop is hier niet gefilterd.
offerable = vrij en bemand
offerable-hint = Vrij, schoon, open en bemand. Of er nu kan worden opgenomen, hangt af van de opnametijden van de locatie: bel het loket.
possible = op te nemen nu
also = ook inzetbaar
also-hint = Beschikbare bedden van een andere zorgsoort die ook hiervoor kunnen
held = gereserveerd
not-ready = wordt schoongemaakt
occupied = bezet
waiting = waarvan wacht
waiting-hint = Kan weg, maar wacht op een volgende plek of op zorg thuis
closed = buiten gebruik
unstaffed = geen personeel
reserve = achter de hand
reserve-hint = In overleg: bel de locatie
total = bedden
last-word = laatste woord
stale = ouder dan een dag: bel om te vragen of dit nog klopt
stopped = Opnamestop
stopped-wards = Opnamestop op afdeling
stop-told = { $reason }, sinds { $at }
stop-since = sinds { $at }
stop-review = opnieuw bekeken: { $at }
reported = opgave
reported-hint = Aantallen zoals de locatie ze opgaf, niet per bed bijgehouden
day = overdag
night = 's nachts
no-phone = geen nummer bekend: bel het loket
contradictions = Tegenspraken
contradictions-intro = Wat binnenkwam en niet paste bij wat wij dachten. Het bericht is vastgelegd; wie het weet, zet het recht met een nieuw bericht.
contradictions-none = Geen tegenspraken in deze regio.
contradictions-more = De nieuwste staan hier; in totaal in deze regio bewaard:
position = positie
bed = bed
as-of = laatste bericht
live = live
catching-up = wordt bijgewerkt
silent = Geen verbinding meer met de bedden. Dit was de stand van %t; daarna kan er iets veranderd zijn. Bel om zeker te zijn.
trouble = Er is een storing: nieuwe berichten worden nu niet verwerkt. Dit was de stand van %t. Bel om zeker te zijn.
no-script = Deze pagina ververst niet vanzelf: laad haar opnieuw voor de nieuwste stand.
other-language = English
zone = Alle tijden zijn Nederlandse tijd.
just-now = zojuist
hour-unit = u
day-unit = d
back = Naar het landelijk overzicht
form-lacks = Vul nog in: { $field }. Er is niets vastgelegd.
form-beyond = Een getal in het formulier kan niet: het is { $min } tot en met { $max }. Er is niets vastgelegd.
form-misfilled = Een datum, getal of keuze in het formulier kunnen wij niet lezen. Kijk het na; er is niets vastgelegd.
form-kept = Wat u invulde, staat er nog:
form-kept-link = naar het formulier
form-back = Terug naar de pagina
form-back-hint = Wat u zelf schreef, staat hierboven om over te nemen.
teller = { $name } ({ $role })
teller-desk = loket
teller-location = locatie
teller-referrer = verwijzer
teller-centre = zorgcoördinatie
teller-node = Doorstroom
paper-stands = Stand van
paper-later = Daarna kan er iets veranderd zijn: bel.
