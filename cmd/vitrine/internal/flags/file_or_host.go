package flags

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// endings are those of files that a verb takes in place of a host: of certificates, and of
// traces, captures, accounts and pages.
var endings = []string{
	".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p12", ".pfx", ".key", ".csr", ".req", ".crl", ".ocsp",
	".pcap", ".pcapng", ".cap", ".ndjson", ".json", ".html", ".gz",
}

// NamesFile tells a file, or standard input, from a host, where an argument may be either. A
// file that exists counts first. What only looks like a file is an error, and no name to ask
// DNS for; so is a folder, unless it is called as a host is.
func NamesFile(arg string) (bool, error) {
	if arg == "-" {
		return true, nil
	}
	info, err := os.Stat(arg)
	isFolder := err == nil && info.IsDir()
	if err == nil && !isFolder {
		return true, nil
	}
	if strings.HasPrefix(arg, socketPrefix) || strings.Contains(arg, "://") {
		return false, nil
	}
	looksSo := strings.ContainsAny(arg, "/"+string(filepath.Separator)) || slices.Contains(endings, strings.ToLower(filepath.Ext(arg)))
	switch {
	case isFolder && looksSo:
		return false, report.Usagef("%s is a folder; give a file in it", arg)
	case isFolder && !strings.ContainsAny(arg, ".:") && arg != "localhost":
		return false, report.Usagef("%s is a folder; give a file in it (for a host of that name, write %s:443)", arg, arg)
	case err != nil && (looksSo || errors.Is(err, fs.ErrPermission)):
		return false, report.Usagef("%v", err)
	}
	return false, nil
}
