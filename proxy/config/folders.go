package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// A Folder is one that the process writes in.
type Folder struct {
	Setting string // the value that names it, as in traces.folder
	Path    string
	// Own is made where it is missing; others hold sockets, and must be there.
	Own bool
	// Later says that it is written in after the process has become User.
	Later bool
}

// Folders are all folders that c has the process write in.
func (c *Config) Folders() (list []Folder) {
	own := func(setting, path string) {
		if path != "" {
			list = append(list, Folder{setting, path, true, true})
		}
	}
	socket := func(setting, path string, later bool) {
		list = append(list, Folder{setting, filepath.Dir(path), false, later})
	}
	for i, l := range c.Listeners {
		for j, address := range l.Listen {
			if path, is := strings.CutPrefix(address, "unix:"); is {
				socket(fmt.Sprintf("listeners[%d].listen[%d]", i, j), path, false)
			}
		}
		if l.TLS == nil {
			continue
		}
		for j, certificate := range l.TLS.Certificates {
			if certificate.ACME != nil {
				own(fmt.Sprintf("listeners[%d].tls.certificates[%d].acme.storage", i, j), certificate.ACME.Storage)
			}
		}
	}
	own("sessions.store", c.Sessions.folder())
	if path, is := strings.CutPrefix(c.Admin.Listen, "unix:"); is {
		socket("admin.listen", path, false)
	}
	own("traces.folder", c.Traces.Folder)
	if c.Process.Handover != "" { // the socket gets its name once the process serves
		socket("process.handover", c.Process.Handover, true)
	}
	return list
}

// folder is that of a store in files; empty for other stores.
func (s Sessions) folder() string {
	u, err := url.Parse(s.Store)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	if u.Opaque == "" {
		return u.Path
	}
	folder, _ := url.PathUnescape(u.Opaque) // file:sessions
	return folder
}
