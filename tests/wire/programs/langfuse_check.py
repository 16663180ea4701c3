"""An application that checks its keys at the start."""

import json
import os
import sys

from langfuse import Langfuse

client = Langfuse(public_key=os.environ["PUBLIC"], secret_key=os.environ["SECRET"], host=os.environ["BASE"])
json.dump({"auth": client.auth_check()}, sys.stdout)
