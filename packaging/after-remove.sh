#!/bin/sh
# Forgets the service, and when dpkg purges, takes away the user and the folders. What somebody has put into
# /etc/vitrine stays, and its group with it: keys may be there that exist nowhere else. rpm purges nothing.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/vitrine
	for folder in /etc/vitrine/keys /etc/vitrine; do
		rmdir "$folder" 2>/dev/null || :
	done
	if [ -d /etc/vitrine ]; then
		echo "/etc/vitrine is not empty and stays, with its user."
	elif getent passwd vitrine >/dev/null; then
		userdel vitrine
	fi
fi
