// Package fix says how settings of TLS are written in programs that people run and write:
// web servers, mail servers, databases, libraries, clients.
//
// What it knows is data, in files of this package, one for each setting. The first line of
// a file says what the setting is for. Then comes, for each program, a line with its id and
// the address of the documentation from which the spelling is, and below it, indented by a
// tab, the lines to write. The address may be left to what stands for the program in
// software.txt, or begin there.
//
//	which versions of TLS are spoken
//	nginx #ssl_protocols
//		ssl_protocols TLSv1.2 TLSv1.3;
//
// Paths, names and lists in the lines are examples, to be put right for yours.
package fix

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.txt
var files embed.FS

// Software is a program that a setting can be made in.
type Software struct {
	// ID is what For takes: "nginx".
	ID string
	// Name is for people: "Apache httpd 2.4".
	Name string
	// Server and Client are set for what can be that.
	Server, Client bool

	base string // of the addresses of its documentation
}

// Setting is something that can be set.
type Setting struct {
	// ID is what For takes: "versions".
	ID string
	// Is says what it is for, as a clause.
	Is string
}

// Fix is how a setting is written in a program.
type Fix struct {
	Setting  string `json:"setting"`
	Software string `json:"software"`
	// Lines are what to write, without a line feed at the end.
	Lines string `json:"lines"`
	// URL is the documentation that says so.
	URL string `json:"url"`
}

// For returns how a setting is written in a program; ok is false where the program has none,
// or it is not known here.
func For(setting, software string) (f Fix, ok bool) {
	t := load()
	f, ok = t.fixes[[2]string{setting, software}]
	return f, ok
}

// Known lists how a setting is written, in every program that has it.
func Known(setting string) (all []Fix) {
	for _, s := range load().software {
		if f, ok := For(setting, s.ID); ok {
			all = append(all, f)
		}
	}
	return all
}

// Settings lists all settings, by their ids.
func Settings() []Setting { return slices.Clone(load().settings) }

// Programs lists all programs, those that are used most first.
func Programs() []Software { return slices.Clone(load().software) }

// table is what the files hold.
type table struct {
	software []Software
	settings []Setting
	fixes    map[[2]string]Fix
}

// load reads the files, once. They are part of the program, and a test reads all of them.
var load = sync.OnceValue(func() *table {
	t := &table{fixes: map[[2]string]Fix{}}
	entries, err := files.ReadDir("data")
	if err != nil {
		return t
	}
	t.readSoftware(text("software.txt"))
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".txt"); name != "software" {
			_ = t.readSetting(name, text(e.Name())) // the test of the files has seen its error
		}
	}
	slices.SortFunc(t.settings, func(a, b Setting) int { return cmp.Compare(a.ID, b.ID) })
	return t
})

func text(name string) string {
	b, _ := files.ReadFile(path.Join("data", name))
	return string(b)
}

// readSoftware reads lines of an id, a side, a base address and a name.
func (t *table) readSoftware(s string) {
	for line := range strings.Lines(s) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(parts) < 4 || strings.HasPrefix(line, "#") {
			continue
		}
		side := parts[1]
		t.software = append(t.software, Software{ID: parts[0], Name: parts[3], Server: side != "client", Client: side != "server", base: parts[2]})
	}
}

// readSetting reads what one file says of a setting.
func (t *table) readSetting(id, s string) error {
	is, rest, _ := strings.Cut(s, "\n")
	t.settings = append(t.settings, Setting{id, is})
	var f Fix
	end := func() {
		if f.Software != "" {
			f.Lines = strings.TrimSuffix(f.Lines, "\n")
			t.fixes[[2]string{id, f.Software}] = f
		}
	}
	for line := range strings.Lines(rest) {
		if content, ok := strings.CutPrefix(line, "\t"); ok {
			f.Lines += content
			continue
		}
		end()
		software, where, _ := strings.Cut(strings.TrimSpace(line), " ")
		i := slices.IndexFunc(t.software, func(s Software) bool { return s.ID == software })
		if i < 0 {
			return fmt.Errorf("%s: %q is not a program of software.txt", id, software)
		}
		f = Fix{Setting: id, Software: software, URL: t.software[i].base + where}
		if strings.HasPrefix(where, "https://") {
			f.URL = where
		}
	}
	end()
	return nil
}
