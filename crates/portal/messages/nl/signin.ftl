### Inloggen, en wat om elke bladzijde achter de deur staat.

sign-in = Inloggen
sign-out = Uitloggen
sign-in-person = Meld u aan
sign-in-name = Naam
sign-in-password = Wachtwoord
sign-in-wrong = Deze naam en dit wachtwoord horen niet bij elkaar, of het account geldt niet meer. Typ ze nog eens, of vraag de beheerder.
sign-in-too-often = Te vaak geprobeerd. Wacht een minuut en probeer het dan nog eens.
sign-in-busy = Er loggen nu te veel mensen tegelijk in. Probeer het over een paar tellen nog eens.
sign-in-away = Het kan nu niet nagekeken worden. Probeer het zo nog eens.
sign-in-help = Geen account? De beheerder van uw loket of organisatie maakt er een.
sign-in-on-device = Dit apparaat staat op een afdeling. Meld u aan om meer te zien dan de bedden; na een kwartier zonder gebruik bent u weer afgemeld.
signed-in-as = Aangemeld als { $name }
worklist = Werklijst
new-referral = Nieuwe aanmelding
my-referrals = Mijn aanmeldingen
my-location = Mijn locatie
flow = Stroom
centre = Regiobeeld
look-back = Terugkijken
recorded-at = Vastgelegd op positie { $position }.
not-saved = Nog niet opgeslagen
kept-back = wordt opnieuw verzonden
saved = Vastgelegd
changed-meanwhile = Er is intussen iets veranderd.
signed-out = U bent afgemeld. Meld u opnieuw aan; wat nog niet was opgeslagen staat klaar.
