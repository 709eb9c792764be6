package build

import _ "embed"

//go:generate go test -run ^TestLicenses$ . -update

// Licenses are the licence of vitrine, in a line, and in full those of all other
// software in the binary, on any system. The tests of this package make the file
// (-update), and fail where a dependency has no entry.
//
//go:embed licenses.txt
var Licenses string
