### Looking back.

audit-of = of
audit-intro = Choose a moment: this is what was known then, with what is known now beside it. All of it comes from the log itself and will look the same tomorrow.
audit-when = Which moment
audit-slider = Slide through the log
audit-go = Go
audit-time = Time
audit-position = Position
audit-board = Known at
audit-differ =
    { $count ->
        [0] Nothing has changed since.
        [one] One line is different now; what is known now stands behind the arrow.
       *[other] { $count } lines are different now; what is known now stands behind the arrow.
    }
audit-no-rows = Nothing was known of this region then, nor is now.
audit-location = Location
audit-behind = event
audit-now = now
audit-later = Told later about that time
audit-later-intro = What had happened by this moment, as its source says, but was recorded only after it. Nobody here knew it then.
audit-later-none = Nothing: what had happened then was known then.
audit-later-more = There may be more: only the beginning was looked at.
audit-happened = happened
audit-told = recorded
audit-referral = A referral
audit-referral-id = Id of the referral
audit-referral-wrong = This is no id of a referral: it has 32 letters and digits, with hyphens.
audit-show = Show
audit-timeline = What happened to
audit-after = after this moment
audit-left-off = { $count } are left off.
audit-receipts = Why this choice: the list as it was shown then
audit-no-receipt = No list is kept with this referral.
audit-for = for
audit-score = Score
audit-fit = fits
audit-distance = distance
audit-wish = wish
audit-truth = reliable
audit-spread = spread
audit-why = Why
audit-excluded = Could not ({ $count })
audit-event = Event
audit-board-then = The board at that moment
audit-previous = previous
audit-next = next
audit-recorded = Recorded
audit-occurred = Happened, by its source
audit-source = Source
audit-id = Id
audit-about = Is about
audit-leaf = Fingerprint in the log
audit-data = What was said
audit-sealed = What is sealed stays sealed.
audit-no-event = This is a line of the log itself, no event of care.
audit-proof = Proof
audit-proof-intro = With this file and the key of the log anybody can check that this event is in it, also without the log.
audit-proof-get = Download the proof
audit-proof-key = The public key with which this log signs its heads. Compare it once with what the administrator gave you by another way: whoever can change this page can show another key too.
audit-proof-key-get = Download the key
audit-proof-check = This is how to check it, on another computer and without this log, with the proof and the key in one folder:
audit-proof-others = Another program can do it too: the proof is a tlog-proof (c2sp.org/tlog-proof), the key that of a signed note (c2sp.org/signed-note, name+number+key). A whole log is checked with doorstroom audit verify.
audit-proof-none = There is no signed head of the log with this event in it yet. Once there is, the administrator makes the proof like this:
audit-ahead = The log goes up to position { $head }: there is nothing beyond it. This is how things stand there.
audit-future = That moment is still to come. This is what is known now.
audit-looked = Who looked at what
audit-looked-later = Who saw which data will be shown here. For now it is only in the server's own log.
receipt-asked = asked
