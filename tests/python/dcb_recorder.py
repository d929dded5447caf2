"""The published test case of DCB recorders, unmodified, with the published client.

`dcb_recorder.py --parts` prints the names of its parts, `dcb_recorder.py PART URL` runs one. Each part expects to begin
at the first position: it needs a server of its own.
"""
import sys
import unittest

from eventsourcing.dcb.tests import DCBRecorderTestCase
from eventsourcing_umadb.recorders import UmaDBDCBRecorder
from umadb import Client

PARTS = [name for name in vars(DCBRecorderTestCase) if name.startswith("_test_")]


class AgainstServer(DCBRecorderTestCase):
    def __init__(self, part, url):
        super().__init__("run_part")
        self.part, self.url = part, url

    def run_part(self):
        getattr(self, self.part)(UmaDBDCBRecorder(Client(self.url)))


match sys.argv[1:]:
    case ["--parts"]:
        print("\n".join(PARTS))
    case [part, url] if part in PARTS:
        result = unittest.TextTestRunner(verbosity=2).run(AgainstServer(part, url))
        assert result.testsRun == 1 and not result.skipped
        sys.exit(not result.wasSuccessful())
    case _:
        sys.exit(__doc__)
