package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// between joins the parts of a ladder's words.
const between = " · "

// What a peer wrote can stand in a text. These bound the work: longer texts are data, and so
// is what is deeper inside others.
const (
	longest = 1000 // bytes
	deepest = 8
)

// Translate says an English text in a language. What it has no words for stays English.
func Translate(lang, text string) string {
	t := translators()[lang]
	if t == nil {
		return text
	}
	j := job{t, map[place]saying{}}
	return j.translate(text, 0).text
}

// translator translates into one language.
type translator struct {
	texts    map[string]string
	patterns []pattern
}

// job is the translation of one text. It keeps what was found of its parts: many ways lead to
// the same one.
type job struct {
	*translator
	known map[place]saying
}

// place is a part of a text, and how deep inside others it is.
type place struct {
	text  string
	depth int
}

// saying is what a text became, and whether some of it was translated, and all: what is
// data does not count.
type saying struct {
	text      string
	some, all bool
}

// pattern is an entry with placeholders: value i stands between literals i and i+1.
type pattern struct {
	literals []string
	order    []int // the number of each placeholder
	to       string
	numbers  [10]bool // which values must be numbers: those of {#0}
	size     int      // of all literals
	bare     bool     // there is no word in them
}

var translators = sync.OnceValue(func() map[string]*translator {
	out := map[string]*translator{}
	for name, texts := range all() {
		out[name] = newTranslator(texts)
	}
	return out
})

func newTranslator(texts map[string]string) *translator {
	t := &translator{texts: texts}
	for english, to := range texts {
		if p, ok := parse(english); ok {
			p.to = to
			for n := range p.numbers {
				p.numbers[n] = strings.Contains(to, fmt.Sprintf("{#%d}", n))
			}
			t.patterns = append(t.patterns, p)
		}
	}
	slices.SortFunc(t.patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.size, a.size), slices.Compare(a.literals, b.literals))
	})
	return t
}

// fewBytes is below what the literals of an entry have that says what it is of itself.
const fewBytes = 8

// rank orders the patterns: one that has many words, one that has none, one that has few.
func (p *pattern) rank() int {
	switch {
	case p.bare && p.size < len(" and "):
		return 1
	case p.size < fewBytes:
		return 2
	}
	return 0
}

// parse finds the placeholders of a text; ok is false if it has none.
func parse(text string) (p pattern, ok bool) {
	literal := ""
	for len(text) > 0 {
		if number, size := placeholder(text); size == 3 {
			p.literals, p.order, literal = append(p.literals, literal), append(p.order, number), ""
			text = text[3:]
			continue
		}
		literal, text = literal+text[:1], text[1:]
	}
	p.literals = append(p.literals, literal)
	words := strings.Join(p.literals, "")
	p.size = len(words)
	p.bare = !strings.ContainsFunc(strings.ReplaceAll(words, " and ", ""), isLetter)
	return p, len(p.order) > 0
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789,.-") == "" }

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// match finds the values that make text an instance of the pattern, by their numbers. A
// number that stands twice has the same value twice.
func (p *pattern) match(text string) (values [10]string, ok bool) {
	rest, ok := strings.CutPrefix(text, p.literals[0])
	if !ok {
		return values, false
	}
	least := 1 // bytes of a value
	if p.rank() == 0 {
		least = 0
	}
	var seen [10]bool
	for i, number := range p.order {
		literal := p.literals[i+1]
		value := rest
		switch {
		case i == len(p.order)-1:
			if value, ok = strings.CutSuffix(rest, literal); !ok {
				return values, false
			}
			rest = ""
		case seen[number]:
			if rest, ok = strings.CutPrefix(rest, values[number]+literal); !ok {
				return values, false
			}
			continue
		default:
			if len(rest) < least || literal == "" {
				return values, false
			}
			at := strings.Index(rest[least:], literal)
			if at < 0 {
				return values, false
			}
			value, rest = rest[:least+at], rest[least+at+len(literal):]
		}
		if len(value) < least || seen[number] && value != values[number] || p.numbers[number] && !isNumber(value) {
			return values, false
		}
		values[number], seen[number] = value, true
	}
	return values, true
}

func (j *job) translate(text string, depth int) saying {
	if to, ok := j.texts[text]; ok {
		return saying{to, true, true}
	}
	if len(text) > longest || depth > deepest || quoted(text) {
		return saying{text, false, !hasWord(text) || quoted(text)}
	}
	at := place{text, depth}
	out, ok := j.known[at]
	if !ok {
		out = j.compose(text, depth)
		j.known[at] = out
	}
	return out
}

// compose translates a text that is made of others.
func (j *job) compose(text string, depth int) (out saying) {
	if parts := strings.Split(text, between); len(parts) > 1 {
		out.all = true
		for i, part := range parts {
			x := j.translate(part, depth+1)
			parts[i], out.some, out.all = x.text, out.some || x.some, out.all && x.all
		}
		out.text = strings.Join(parts, between)
		return out
	}
	for _, loosely := range []bool{false, true} {
		if out, ok := j.instance(text, depth, loosely); ok {
			return saying{out, true, !loosely}
		}
	}
	return saying{text, false, !hasWord(text)}
}

// instance translates what is an instance of a pattern. Of a pattern without words, all of
// the values must be translated; where loosely is set, some of one is enough.
func (j *job) instance(text string, depth int, loosely bool) (out string, ok bool) {
	for i := range j.patterns {
		p := &j.patterns[i]
		if loosely && !p.bare {
			continue
		}
		values, ok := p.match(text)
		if !ok {
			continue
		}
		become, some, every := values, false, true
		for _, number := range p.order {
			x := j.translate(values[number], depth+1)
			become[number], some, every = x.text, some || x.some, every && x.all
		}
		if !p.bare || some && (every || loosely) {
			return fill(p.to, values, become), true
		}
	}
	return "", false
}

// hasWord reports that there are two small letters next to each other.
func hasWord(text string) bool {
	small := 0
	for _, r := range text {
		if small++; r < 'a' || r > 'z' {
			small = 0
		}
		if small == 2 {
			return true
		}
	}
	return false
}

// quoted reports that text is one string in quotation marks.
func quoted(text string) bool {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return false
	}
	inside := strings.NewReplacer(`\\`, "", `\"`, "").Replace(text[1 : len(text)-1])
	return !strings.Contains(inside, `"`)
}

// fill puts values in the places of {0} and the like, as they are said; and as they are in
// those of {=0}, which stands for data, and of {#0}, which stands for a number.
func fill(text string, values, become [10]string) string {
	var out strings.Builder
	for len(text) > 0 {
		switch number, size := placeholder(text); size {
		case 3:
			out.WriteString(become[number])
			text = text[3:]
		case 4:
			out.WriteString(values[number])
			text = text[4:]
		default:
			out.WriteByte(text[0])
			text = text[1:]
		}
	}
	return out.String()
}

// placeholder reads "{0}", "{=0}" or "{#0}" at the start of text; its size is 0 if there is
// none.
func placeholder(text string) (number, size int) {
	rest, ok := strings.CutPrefix(text, "{")
	if !ok {
		return 0, 0
	}
	if rest != "" && (rest[0] == '=' || rest[0] == '#') {
		rest = rest[1:]
	}
	if len(rest) < 2 || rest[0] < '0' || rest[0] > '9' || rest[1] != '}' {
		return 0, 0
	}
	return int(rest[0] - '0'), len(text) - len(rest) + 2
}
