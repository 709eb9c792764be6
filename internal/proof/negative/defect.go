package negative

import (
	"embed"
	"fmt"
	"strings"
)

// Defect is one rule taken out of the library.
type Defect struct {
	Name  string
	Layer string // the file that it stands in, without .txt
	// Why says what an attacker gets by it.
	Why   string
	Tests []Tests
	Edits []Edit
	// joined are those that it is made of, where it is made of many.
	joined []Defect
}

// Tests are those of one package that must notice a defect.
type Tests struct {
	Package string // below the module's root, like internal/record
	Names   []string
}

// Edit is a change to one file. Before stands in it exactly once.
type Edit struct {
	File          string // below the module's root
	Before, After string // whole lines
}

//go:embed defects/*.txt
var files embed.FS

// Defects reads them all, by layer and in their order.
func Defects() ([]Defect, error) {
	entries, err := files.ReadDir("defects")
	if err != nil {
		return nil, err
	}
	var all []Defect
	for _, entry := range entries {
		text, err := files.ReadFile("defects/" + entry.Name())
		if err != nil {
			return nil, err
		}
		some, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("defects/%s: %w", entry.Name(), err)
		}
		for i := range some {
			some[i].Layer = strings.TrimSuffix(entry.Name(), ".txt")
		}
		all = append(all, some...)
	}
	return all, nil
}

// parse reads the defects of one file. What stands before the first is for
// people.
func parse(text string) ([]Defect, error) {
	var list []Defect
	for i, line := range strings.Split(text, "\n") {
		name, begins := strings.CutPrefix(line, "== ")
		switch {
		case begins:
			list = append(list, Defect{Name: name})
		case len(list) > 0 && line != "":
			if err := list[len(list)-1].add(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	for _, d := range list {
		if d.Why == "" || len(d.Tests) == 0 || len(d.Edits) == 0 {
			return nil, fmt.Errorf("%q lacks words, tests or a change", d.Name)
		}
	}
	return list, nil
}

// add takes in a line below the name.
func (d *Defect) add(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch {
	case kind == "---":
		d.Edits = append(d.Edits, Edit{File: rest})
	case len(d.Edits) > 0:
		return d.Edits[len(d.Edits)-1].add(line)
	case kind == "test":
		words := strings.Fields(rest)
		if len(words) < 2 {
			return fmt.Errorf("%q is no package and its tests", line)
		}
		d.Tests = append(d.Tests, Tests{words[0], words[1:]})
	default:
		d.Why = strings.TrimSpace(d.Why + " " + line)
	}
	return nil
}

// add takes in a line of a diff.
func (e *Edit) add(line string) error {
	mark, text := line[0], line[1:]+"\n"
	if mark != ' ' && mark != '-' && mark != '+' {
		return fmt.Errorf("%q is no line of a diff", line)
	}
	if mark != '+' {
		e.Before += text
	}
	if mark != '-' {
		e.After += text
	}
	return nil
}

// CaughtBy names the tests that must notice the defect.
func (d *Defect) CaughtBy() string {
	var list []string
	for _, t := range d.Tests {
		list = append(list, t.Package+" "+strings.Join(t.Names, " "))
	}
	return strings.Join(list, ", ")
}
