//go:build !unix

package config

// cannotWrite says nothing where rights are not those of unix: opening says it.
func (a Account) cannotWrite(string, bool) string { return "" }
