#!/bin/sh
# Makes the user and the folders. The service is not started: it needs a configuration first.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers vitrine.conf
	systemd-tmpfiles --create vitrine.conf
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A proxy that runs goes on with the old version, and no connection is cut. The operator has the new
	# one take over, or restarts it: see the head of /etc/vitrine/proxy.yaml's example.
	if systemctl is-active --quiet vitrine-proxy.service; then
		echo "vitrine-proxy runs on with the version before. To have the new one take over without a cut connection:"
		echo "  systemctl kill --kill-whom=main --signal=USR2 vitrine-proxy    (with process.handover; else: systemctl restart vitrine-proxy)"
	fi
fi
