package authority

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// trustCommands make a system trust an authority; the first whose folder exists counts.
// The last is for every other system.
var trustCommands = []struct{ system, folder, command string }{
	{"darwin", "", "sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain %s"},
	{"windows", "", "certutil -user -addstore Root %s"},
	{"linux", "/etc/pki/ca-trust/source/anchors", "sudo cp %s /etc/pki/ca-trust/source/anchors/vitrine.pem && sudo update-ca-trust"},
	{"linux", "/usr/local/share/ca-certificates", "sudo cp %s /usr/local/share/ca-certificates/vitrine.crt && sudo update-ca-certificates"},
	{"", "", "sudo trust anchor %s"},
}

// TrustCommand is what makes this system trust the authority.
func (a *Authority) TrustCommand() string {
	for _, row := range trustCommands {
		_, err := os.Stat(row.folder)
		if (row.system == runtime.GOOS || row.system == "") && (row.folder == "" || err == nil) {
			return fmt.Sprintf(row.command, ShellQuote(a.File()))
		}
	}
	return a.File()
}

// ShellQuote returns s as one word for a POSIX shell.
func ShellQuote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
