package scan

import "strings"

// maxSaid is how many lines are kept of what a server says before TLS.
const maxSaid = 16

// greeterNames are programs that name themselves where they greet, by the words of that.
var greeterNames = []string{"Postfix", "Exim", "Sendmail", "OpenSMTPD", "Microsoft ESMTP", "Dovecot", "Cyrus", "Courier", "Pigeonhole",
	"vsFTPd", "ProFTPD", "Pure-FTPd", "FileZilla", "MariaDB", "INN", "Prosody", "ejabberd"}

// greeterOf is what a server seems to be by what it said before TLS, or by its protocol alone: PostgreSQL
// says one letter. Empty where nothing tells.
func greeterOf(protocol string, said []string) string {
	for _, line := range said {
		for _, name := range greeterNames {
			if strings.Contains(strings.ToLower(line), strings.ToLower(name)) {
				return name
			}
		}
	}
	if protocol == "postgres" {
		return "PostgreSQL"
	}
	return ""
}
