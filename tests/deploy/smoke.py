"""Run by the package's own Python, with nothing but the package and the standard library to import from.

`python -I -S smoke.py FOLDER FUNCTION` imports the handler and makes what its first request needs.
"""

import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module

folder, function = sys.argv[1:]
sys.path.insert(0, folder)
app = import_module(f"functions.{function}.app")
assert app.__file__ == f"{folder}/functions/{function}/app.py"

shared = {
    name: import_module(f"shared.{name}")
    for name in ("catalog.registry", "database", "object_store", "queue", "telemetry")
}
shared["database"].database()
shared["queue"].queue()
link = shared["object_store"].object_store().put_link("uploads/a/b", "00" * 32, 1, 60)
assert "X-Amz-Signature=" in link.url
shared["catalog.registry"].current_versions()

if function == "process":
    for info in shared["catalog.registry"].pipelines():
        import_module("assay.datasets.registry").load(info)
    for module in ("assay.run", "functions.process.sandbox.child"):
        import_module(module)
else:
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode({"exp": datetime.now(UTC) + timedelta(minutes=1)}, key, algorithm="ES256")
    assert "exp" in jwt.decode(token, key.public_key(), algorithms=["ES256"])
    assert import_module("shared.sign_in.auth").verifier()

homes = (folder, sys.base_prefix, __file__)
files = [getattr(module, "__file__", None) for module in sys.modules.values()]
outside = [file for file in files if file and not file.startswith(homes)]
assert not outside, outside
sys.stdout.write("ready\n")
