#!/bin/sh
# Stops the service where the package goes, and not where it is replaced by a newer one: dpkg says
# "remove", rpm says 0.
set -e
if [ -d /run/systemd/system ] && { [ "$1" = remove ] || [ "$1" = 0 ]; }; then
	systemctl disable --now vitrine-proxy.service vitrine-proxy.socket 2>/dev/null || :
fi
