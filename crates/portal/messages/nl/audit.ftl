### Terugkijken.

audit-of = van
audit-intro = Kies een moment: dit is wat toen bekend was, met ernaast wat nu bekend is. Alles komt uit het logboek zelf en ziet er morgen net zo uit.
audit-when = Welk moment
audit-slider = Schuif door het logboek
audit-go = Ga
audit-time = Tijdstip
audit-position = Positie
audit-board = Bekend op
audit-differ =
    { $count ->
        [0] Er is sindsdien niets veranderd.
        [one] Eén regel is nu anders; achter de pijl staat wat nu bekend is.
       *[other] { $count } regels zijn nu anders; achter de pijl staat wat nu bekend is.
    }
audit-no-rows = Van deze regio was toen niets bekend, en nu ook niet.
audit-location = Locatie
audit-behind = gebeurtenis
audit-now = nu
audit-later = Later gemeld over die tijd
audit-later-intro = Wat volgens de bron al gebeurd was op dit moment, maar pas daarna werd vastgelegd. Toen wist niemand het hier.
audit-later-none = Niets: wat toen gebeurd was, was toen ook bekend.
audit-later-more = Er kan meer zijn: alleen het begin is bekeken.
audit-happened = gebeurd
audit-told = vastgelegd
audit-referral = Een aanmelding
audit-referral-id = Nummer van de aanmelding
audit-referral-wrong = Dit is geen nummer van een aanmelding: het heeft 32 letters en cijfers, met streepjes.
audit-show = Laat zien
audit-timeline = Wat er gebeurde met
audit-after = na dit moment
audit-left-off = { $count } zijn weggelaten.
audit-receipts = Waarom deze keuze: de lijst zoals die toen getoond werd
audit-no-receipt = Bij deze aanmelding is geen lijst bewaard.
audit-for = voor
audit-score = Punten
audit-fit = past
audit-distance = afstand
audit-wish = wens
audit-truth = betrouwbaar
audit-spread = spreiding
audit-why = Waarom
audit-excluded = Konden niet ({ $count })
audit-event = Gebeurtenis
audit-board-then = Het overzicht op dat moment
audit-previous = vorige
audit-next = volgende
audit-recorded = Vastgelegd
audit-occurred = Gebeurd, zegt de bron
audit-source = Bron
audit-id = Nummer
audit-about = Gaat over
audit-leaf = Vingerafdruk in het logboek
audit-data = Wat er gezegd is
audit-sealed = Wat verzegeld is blijft verzegeld.
audit-no-event = Dit is een regel van het logboek zelf, geen gebeurtenis uit de zorg.
audit-proof = Bewijs
audit-proof-intro = Met dit bestand en de sleutel van het logboek kan iedereen nagaan dat deze gebeurtenis erin staat, ook zonder het logboek.
audit-proof-get = Bewijs downloaden
audit-proof-key = De openbare sleutel waarmee dit logboek zijn standen ondertekent. Vergelijk die één keer met wat de beheerder u langs een andere weg gaf: wie deze pagina kan veranderen kan ook een andere sleutel tonen.
audit-proof-key-get = Sleutel downloaden
audit-proof-check = Nagaan gaat zo, op een andere computer en zonder dit logboek, met het bewijs en de sleutel in één map:
audit-proof-others = Het kan ook met een ander programma: het bewijs is een tlog-proof (c2sp.org/tlog-proof), de sleutel die van een ondertekende notitie (c2sp.org/signed-note, naam+nummer+sleutel). Met doorstroom audit verify wordt een heel logboek nagegaan.
audit-proof-none = Er is nog geen ondertekende stand van het logboek waar deze gebeurtenis in zit. De beheerder maakt het bewijs zo, zodra die er is:
audit-ahead = Het logboek gaat tot positie { $head }: verder is er niets. Dit is de stand daarvan.
audit-future = Dat tijdstip moet nog komen. Dit is wat nu bekend is.
audit-looked = Wie keek waarin
audit-looked-later = Wie welke gegevens inzag, komt hier te staan. Nu staat dat alleen in het eigen logbestand van de server.
receipt-asked = gevraagd
