package deploy

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed are the licences under which code may be part of the binary: none asks for
// more of whoever runs or changes pictifyd than to keep a notice, MPL-2.0 for its own
// files alone.
var allowed = []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "Zlib", "Unlicense", "CC0-1.0", "0BSD", "Public-Domain"}

var spaces = regexp.MustCompile(`[\s*/#]+`)

// licenceOf is the licence whose text it is; "" for one that is not known here.
func licenceOf(text string) string {
	text = strings.ToLower(spaces.ReplaceAllString(text, " "))
	has := func(words string) bool { return strings.Contains(text, words) }
	switch {
	case has("mozilla public license") && has("2.0"): // it names the GPL's, which may take its code in
		return "MPL-2.0"
	case has("apache license") && has("version 2.0"):
		return "Apache-2.0"
	case has("redistribution and use in source and binary forms") && (has("neither the name") || has("names of its contributors")):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("permission is hereby granted, free of charge"):
		return "MIT"
	case has("permission to use, copy, modify, and"):
		return "ISC"
	case has("free and unencumbered software"):
		return "Unlicense"
	case has("dedicated to the public domain"):
		return "Public-Domain"
	case has("cc0 1.0 universal"):
		return "CC0-1.0"
	case has("gnu affero general public license"), has("gnu general public license"), has("gnu lesser general public license"):
		return "GPL"
	}
	return ""
}

// moduleLicences are those of the files of a module's folder that have one.
func moduleLicences(dir string) (all []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		// A logo is no code, and a list of the licences of parts is none itself.
		if strings.HasSuffix(name, "-LOGO") || strings.Contains(name, "3RD-PARTY") {
			continue
		}
		if e.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") && !strings.HasPrefix(name, "UNLICENSE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err == nil {
			all = append(all, licenceOf(string(text)))
		}
	}
	return all
}

func TestEveryModuleHasAKnownLicence(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{with .Replace}}{{.Dir}}{{else}}{{.Dir}}{{end}}{{end}}{{end}}", "../cmd/pictifyd").Output()
	if err != nil {
		t.Fatalf("list the modules: %v", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			dirs[path] = dir
		}
	}
	if len(dirs) < 30 {
		t.Fatalf("only %d modules: %v", len(dirs), dirs)
	}
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		licences := moduleLicences(dirs[path])
		if len(licences) == 0 {
			t.Errorf("%s: no licence in %s", path, dirs[path])
		}
		// Of several, as of a module with parts of another, each has to be good.
		for _, one := range licences {
			if !slices.Contains(allowed, one) {
				t.Errorf("%s: its licence is %q, and has to be one of %v", path, one, allowed)
			}
		}
	}
}

func TestEveryPackageOfTheStudioHasAKnownLicence(t *testing.T) {
	var lock struct {
		Packages map[string]struct {
			License string
			Dev     bool
			Version string
		}
	}
	if err := json.Unmarshal([]byte(mustRead(t, "../studio/app/package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	part := 0
	for path, p := range lock.Packages {
		if path == "" || p.Dev {
			continue
		}
		part++
		if !slices.Contains(allowed, p.License) {
			t.Errorf("%s: its licence is %q, and has to be one of %v", path, p.License, allowed)
		}
	}
	if part == 0 {
		t.Error("the studio is made of nothing")
	}
}

func TestLicencesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004":                                              "Apache-2.0",
		"Permission is hereby granted, free of charge, to any person":                               "MIT",
		"// Redistribution and use in source and\n// binary forms … Neither the name of Google":     "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":                        "BSD-2-Clause",
		"GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3":                                              "GPL",
		"Business Source License 1.1":                                                               "",
		"Mozilla Public License, version 2.0 … GNU General Public License, Version 2.0 (Secondary)": "MPL-2.0",
	} {
		if got := licenceOf(text); got != want {
			t.Errorf("%.40q is %q, want %q", text, got, want)
		}
	}
}
