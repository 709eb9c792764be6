// Package page writes what scans found as one HTML page, for a browser and for paper.
//
// The page is one file that needs nothing else: it loads nothing, and its Content Security
// Policy lets it load nothing. It begins with the answer: is it all right, and what is to be
// done first? Then stand the servers, each with its findings and all that it speaks. Without
// its small script the page only lacks buttons.
//
//	report, err := prober.Scan(ctx, target, scan.Options{})
//	...
//	err = page.Write(file, page.Page{Servers: []page.Server{{Report: report}}})
//
// What a server says stands on the page as text, whatever it says: no markup, no characters
// that cannot be seen, none that turn the direction of what follows.
package page
