package negative

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// apply makes the edits on the files below root. It returns the new texts by
// the names of their files.
func (d *Defect) apply(root string) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range d.Edits {
		text, ok := texts[e.File]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if n := strings.Count("\n"+text, "\n"+e.Before); n != 1 || e.Before == "" || e.Before == e.After {
			return nil, fmt.Errorf("%s has changed: these lines of the defect are there %d times, and once is needed:\n%s", e.File, n, e.Before)
		}
		at := strings.Index("\n"+text, "\n"+e.Before)
		texts[e.File] = text[:at] + e.After + text[at+len(e.Before):]
	}
	return texts, nil
}

// overlay writes the changed files into the folder dir, and for go build's
// -overlay which files they stand for. It returns the name of that list.
func (d *Defect) overlay(root, dir string) (string, error) {
	texts, err := d.apply(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(name))] = copied
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

// packages are those whose sources the defect changes.
func (d *Defect) packages() (list []string) {
	for _, e := range d.Edits {
		list = append(list, "./"+path.Dir(e.File))
	}
	return list
}
