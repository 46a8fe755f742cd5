"""The local AWS: moto's server for the control plane and storage, with an Invoke front of our own that runs functions
for real.

Start it with ``python -m embedded.aws --port 0 --data DIR``; see ``__main__`` for the arguments and the one ready
line. Everything moto holds (functions, objects, logs, queues) lives in memory: after a restart whoever started it
publishes again.
"""
