### Signing in, and what is around every page behind the door.

sign-in = Sign in
sign-out = Sign out
sign-in-person = Sign in yourself
sign-in-name = Name
sign-in-password = Password
sign-in-wrong = This name and password do not belong together, or the account is over. Type them again, or ask your administrator.
sign-in-too-often = Tried too often. Wait a minute, then try again.
sign-in-busy = Too many are signing in at the same time. Try again in a few seconds.
sign-in-away = It can not be checked now. Try again in a moment.
sign-in-help = No account? The administrator of your desk or organisation makes one.
sign-in-on-device = This device stays on a ward. Sign in to see more than the beds; after a quarter of an hour unused you are signed out again.
signed-in-as = Signed in as { $name }
worklist = Worklist
new-referral = New referral
my-referrals = My referrals
my-location = My location
flow = Flow
centre = Coordination
look-back = Look back
recorded-at = Recorded at position { $position }.
not-saved = Not saved yet
kept-back = is sent again
saved = Recorded
changed-meanwhile = Something changed meanwhile.
signed-out = You are signed out. Sign in again; what was not saved is kept.
