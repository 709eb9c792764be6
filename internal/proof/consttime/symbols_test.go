package consttime

import (
	"debug/dwarf"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// frame is one function on a stack, also one that was compiled into its caller.
type frame struct {
	function string // without the path of this module
	file     string
	line     int
	text     string // the line of the source, without the spaces around it
	std      bool   // of the standard library
}

// symbols finds the functions at an address. valgrind does not: it knows nothing
// of inlined ones in Go's tables.
type symbols struct {
	data    *dwarf.Data
	std     string            // the directory of the standard library
	overlay map[string]string // what other files were compiled in place of some
	frames  map[uint64][]frame
	sources map[string][]string // lines by file
}

func openSymbols(t *testing.T, p program) *symbols {
	t.Helper()
	file, err := elf.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src") + string(filepath.Separator)
	return &symbols{data: data, std: std, overlay: p.overlay, frames: map[uint64][]frame{}, sources: map[string][]string{}}
}

// at returns the frames at an address, the innermost first.
func (s *symbols) at(pc uint64) []frame {
	if f, ok := s.frames[pc]; ok {
		return f
	}
	frames := []frame{{function: "unknown"}}
	r := s.data.Reader()
	if unit, err := r.SeekPC(pc); err == nil {
		if lines, err := s.data.LineReader(unit); err == nil && lines != nil {
			frames = s.inUnit(r, lines, pc)
		}
	}
	s.frames[pc] = frames
	return frames
}

// inUnit walks down from the function that has pc to what was inlined there.
func (s *symbols) inUnit(r *dwarf.Reader, lines *dwarf.LineReader, pc uint64) (frames []frame) {
	for {
		e, err := r.Next()
		if err != nil || e == nil || e.Tag == dwarf.TagCompileUnit || e.Tag == 0 && len(frames) > 0 {
			break
		}
		if e.Tag != dwarf.TagSubprogram && e.Tag != dwarf.TagInlinedSubroutine && e.Tag != dwarf.TagLexDwarfBlock {
			r.SkipChildren()
			continue
		}
		if !s.covers(e, pc) {
			r.SkipChildren()
			continue
		}
		if e.Tag == dwarf.TagLexDwarfBlock {
			continue
		}
		if len(frames) > 0 { // what is inlined says where
			file, _ := e.Val(dwarf.AttrCallFile).(int64)
			line, _ := e.Val(dwarf.AttrCallLine).(int64)
			if files := lines.Files(); file >= 0 && int(file) < len(files) && files[file] != nil {
				s.place(&frames[0], files[file].Name, int(line))
			}
		}
		frames = append([]frame{{function: s.name(e)}}, frames...)
	}
	if at := lineOf(lines, pc); len(frames) > 0 && at.File != nil {
		s.place(&frames[0], at.File.Name, at.Line)
	}
	return frames
}

// lineOf looks through the whole table: SeekPC wants it in the order of addresses,
// which it is not where a package has instances of generic functions.
func lineOf(lines *dwarf.LineReader, pc uint64) (at dwarf.LineEntry) {
	at.EndSequence = true // there is nothing before the first
	for next := (dwarf.LineEntry{}); lines.Next(&next) == nil; {
		if at.Address <= pc && pc < next.Address && !at.EndSequence {
			return at
		}
		at = next
	}
	return dwarf.LineEntry{}
}

func (s *symbols) covers(e *dwarf.Entry, pc uint64) bool {
	ranges, err := s.data.Ranges(e)
	if err != nil {
		return false
	}
	for _, r := range ranges {
		if r[0] <= pc && pc < r[1] {
			return true
		}
	}
	return false
}

// name follows an inlined or concrete function to the entry that has its name.
func (s *symbols) name(e *dwarf.Entry) string {
	for e != nil {
		if name, ok := e.Val(dwarf.AttrName).(string); ok {
			return strings.TrimPrefix(name, "github.com/vitrine-tls/vitrine/")
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			break
		}
		r := s.data.Reader()
		r.Seek(origin)
		e, _ = r.Next()
	}
	return "unknown"
}

func (s *symbols) place(f *frame, file string, line int) {
	f.file, f.line, f.std = file, line, strings.HasPrefix(file, s.std)
	if other, ok := s.overlay[file]; ok {
		file = other
	}
	lines, ok := s.sources[file]
	if !ok {
		text, _ := os.ReadFile(file) // none of a file that the compiler made
		lines = strings.Split(string(text), "\n")
		s.sources[file] = lines
	}
	if 0 < line && line <= len(lines) {
		f.text = strings.TrimSpace(lines[line-1])
	}
}
