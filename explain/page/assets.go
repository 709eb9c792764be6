package page

import (
	"embed"
	"path"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/explain/internal/catalogue"
)

//go:embed assets
var assets embed.FS

// head and foot are the page around its data: the language, the policy, the title and
// the styles; and the script.
const (
	head = `<!doctype html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="vitrine explain">
<title>%s</title>
<style>%s</style>
</head>
<body>
<noscript><p>This page draws itself with its own script. Without one, vitrine explain writes the same as text.</p></noscript>
<script type="application/json" id="data">`
	foot = `</script>
<script>%s</script>
</body>
</html>
`
)

// modules are the scripts in their order: each uses those before it.
var modules = []string{
	"dom", "text", "model", "layers", "links", "hex", "fields", "detail",
	"primitives", "derive", "open", "recompute",
	"outcome", "scale", "ladder", "record", "choices", "certificates", "secrets", "transcript", "costs", "steps", "story",
	"search", "theme", "keyboard", "main",
}

// sheets are the style sheets in their order.
var sheets = []string{"tokens", "base", "frame", "ladder", "bytes", "panels", "story", "print"}

// scripts is the page's script: one function around all modules, so that they share
// nothing with the document.
var scripts = sync.OnceValue(func() string {
	return "(() => {\n\"use strict\";\n" + catalogue.Script + joined("js", modules) + "})();\n"
})

var styles = sync.OnceValue(func() string { return "\n" + joined("css", sheets) })

// Tokens are the colours, type and space of the page, light and dark, as variables of CSS:
// what stands beside a page looks like it with them.
func Tokens() string { return joined("css", sheets[:1]) }

// Base are the Tokens, and how text, links and the focus look.
func Base() string { return joined("css", sheets[:2]) }

// joined are the files of a kind, one after the other.
func joined(kind string, names []string) string {
	var all strings.Builder
	for _, name := range names {
		text, err := assets.ReadFile(path.Join("assets", kind, name+"."+kind))
		if err != nil {
			continue // a test holds the lists against the files
		}
		all.Write(text)
	}
	return all.String()
}
