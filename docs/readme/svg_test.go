package readme

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// theme is the colours of a page by the parameter of ANSI's escape sequence.
type theme struct {
	background, border, text string
	color                    map[string]string
}

var themes = map[string]theme{
	"light": {"#ffffff", "#d0d7de", "#1f2328", map[string]string{
		"2": "#6e7781", "31": "#cf222e", "32": "#1a7f37", "33": "#9a6700", "35": "#8250df", "36": "#0a6c86"}},
	"dark": {"#0d1117", "#30363d", "#e6edf3", map[string]string{
		"2": "#8b949e", "31": "#ff7b72", "32": "#3fb950", "33": "#d29922", "35": "#bc8cff", "36": "#56d4dd"}},
}

// Sizes in pixels, of a monospaced font of 14.
const (
	column, row, margin = 8.43, 20, 18
	font                = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)

// draw makes an SVG of a text with ANSI's colours.
func draw(text string, t theme) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var body strings.Builder
	widest := 0
	for i, line := range lines {
		fmt.Fprintf(&body, `<text x="%d" y="%d" xml:space="preserve">`, margin, margin+row*(i+1)-6)
		columns := 0
		for _, p := range parts(line) {
			columns += utf8.RuneCountInString(p.text)
			fmt.Fprintf(&body, "<tspan%s>%s</tspan>", t.attributes(p.style), html.EscapeString(p.text))
		}
		body.WriteString("</text>\n")
		widest = max(widest, columns)
	}
	width, height := int(float64(widest)*column)+2*margin, row*len(lines)+2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="The output of vitrine explain">
<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>
<g font-family="%s" font-size="14" fill="%s">
%s</g>
</svg>
`, width, height, width, height, width-1, height-1, t.background, t.border, font, t.text, &body)
}

// attributes are those of a tspan in a style such as "1;32".
func (t theme) attributes(style string) (all string) {
	for code := range strings.SplitSeq(style, ";") {
		if code == "1" {
			all += ` font-weight="bold"`
		} else if c := t.color[code]; c != "" {
			all += fmt.Sprintf(` fill="%s"`, c)
		}
	}
	return all
}

// part is text of one style.
type part struct{ style, text string }

// parts takes a line with ANSI's sequences apart.
func parts(line string) (all []part) {
	style := ""
	for line != "" {
		text, rest, found := strings.Cut(line, "\x1b[")
		if text != "" {
			all = append(all, part{style, text})
		}
		if !found {
			break
		}
		style, line, _ = strings.Cut(rest, "m")
	}
	return all
}
