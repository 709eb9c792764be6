#!/bin/sh
# Makes the user and the folders. The service is not started: it needs a configuration first.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers vitrine.conf
	systemd-tmpfiles --create vitrine.conf
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart vitrine-proxy.service
fi
