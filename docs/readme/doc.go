// Package readme keeps the README honest. Its tests build the program that stands
// there, and compare the pictures with what vitrine explain prints today.
package readme

//go:generate go test -run TestPictures -update
