// Command cldr writes expr/locales.txt from the JSON form of Unicode CLDR: the
// npm packages cldr-core, cldr-dates-full, cldr-misc-full and cldr-numbers-full,
// unpacked beside each other.
//
//	go run ./expr/internal/cldr FOLDER expr/locales.txt
//
// A line is a locale, a tab, and what differs from the locale's parents.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/bojanz/currency"
)

// A node is any part of a CLDR document.
type node map[string]any

func (n node) at(path ...string) node {
	for _, p := range path {
		next, _ := n[p].(map[string]any)
		n = next
	}
	return n
}

func (n node) text(key string) string { s, _ := n[key].(string); return s }

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: cldr FOLDER FILE")
	}
	text, err := build(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], []byte(text), 0o644) //nolint:gosec // a source file, for everybody
	}
	if err != nil {
		log.Fatal(err)
	}
}

func build(dir string) (string, error) {
	levels, err := read(dir, "cldr-core/coverageLevels.json")
	if err != nil {
		return "", err
	}
	systems, err := read(dir, "cldr-core/supplemental/numberingSystems.json")
	if err != nil {
		return "", err
	}
	all := map[string]node{}
	entries, err := os.ReadDir(filepath.Join(dir, "cldr-dates-full/main"))
	if err != nil {
		return "", fmt.Errorf("list locales: %w", err)
	}
	for _, e := range entries {
		id := e.Name()
		if !covered(levels.at("coverageLevels"), id) {
			continue
		}
		if all[id], err = locale(dir, id, systems.at("supplemental", "numberingSystems")); err != nil {
			return "", err
		}
	}
	return lines(all), nil
}

// covered reports whether a locale, or its language, is worked on in earnest.
func covered(levels node, id string) bool {
	for l := currency.NewLocale(id); l.Language != "" && (l.String() == id || l.String() != "en"); l = l.GetParent() {
		if level := levels.text(l.String()); level != "" {
			return level == "modern"
		}
	}
	return strings.HasPrefix(id, "en-")
}

func lines(all map[string]node) string {
	var b strings.Builder
	b.WriteString("# Written by expr/internal/cldr from Unicode CLDR 48.2.\n" +
		"# Copyright (c) 1991-2026 Unicode, Inc. SPDX-License-Identifier: Unicode-3.0 (https://www.unicode.org/license.txt)\n")
	for _, id := range slices.Sorted(maps.Keys(all)) {
		own := node{}
		for key, value := range all[id] {
			if inherited := parents(all, id)[key]; !reflect.DeepEqual(value, inherited) {
				own[key] = value
			}
		}
		if len(own) == 0 {
			continue
		}
		text, err := json.Marshal(own)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\t%s\n", id, text)
	}
	return b.String()
}

// parents is the data of the nearest parent that there is.
func parents(all map[string]node, id string) node {
	for l := currency.NewLocale(id).GetParent(); !l.IsEmpty(); l = l.GetParent() {
		if n, ok := all[l.String()]; ok {
			return n
		}
	}
	return nil
}

func read(dir, name string) (node, error) {
	data, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // the folder that the caller named
	if err != nil {
		return nil, err
	}
	var n node
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return n, nil
}

func locale(dir, id string, systems node) (node, error) {
	parts := map[string]node{}
	for _, name := range []string{"dates-full/ca-gregorian", "dates-full/dateFields", "misc-full/listPatterns", "numbers-full/numbers"} {
		pack, file, _ := strings.Cut(name, "/")
		n, err := read(dir, "cldr-"+pack+"/main/"+id+"/"+file+".json")
		if err != nil {
			return nil, err
		}
		parts[file] = n.at("main", id)
	}
	out := node{}
	calendar(out, parts["ca-gregorian"].at("dates", "calendars", "gregorian"))
	relative(out, parts["dateFields"].at("dates", "fields"))
	out["and"] = list(parts["listPatterns"].at("listPatterns", "listPattern-type-standard"))
	out["or"] = list(parts["listPatterns"].at("listPatterns", "listPattern-type-or"))
	numbers(out, parts["numbers"].at("numbers"), systems)
	return out, nil
}

func calendar(out, c node) {
	months := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}
	days := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	out["months"] = values(c.at("months", "format", "wide"), months)
	out["monthsAlone"] = values(c.at("months", "stand-alone", "wide"), months)
	out["monthsShort"] = values(c.at("months", "format", "abbreviated"), months)
	out["monthsShortAlone"] = values(c.at("months", "stand-alone", "abbreviated"), months)
	out["days"] = values(c.at("days", "format", "wide"), days)
	out["daysShort"] = values(c.at("days", "format", "abbreviated"), days)
	out["daysMin"] = values(c.at("days", "format", "short"), days)
	out["dayPeriods"] = values(c.at("dayPeriods", "format", "abbreviated"), []string{"am", "pm"})
	out["dates"] = values(c.at("dateFormats"), []string{"full", "long", "medium", "short"})
	times := values(c.at("timeFormats"), []string{"medium", "short"})
	for i, t := range times { // zh-Hant names eight parts of the day; two of them will do
		times[i] = strings.ReplaceAll(t, "B", "a")
	}
	out["times"] = times
	out["numericDate"] = c.at("dateTimeFormats", "availableFormats").text("yMd")
	out["dateTime"] = c.at("dateTimeFormats").text("medium")
}

func values(n node, keys []string) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		switch v := n[key].(type) {
		case string:
			out[i] = v
		case map[string]any:
			out[i] = node(v).text("_value")
		}
	}
	return out
}

// relative keeps "in {0} days", "yesterday" and the like.
func relative(out, fields node) {
	units := map[string]any{}
	for _, unit := range []string{"year", "month", "week", "day", "hour", "minute", "second"} {
		f := fields.at(unit)
		units[unit] = map[string]any{
			"words":  counts(f, "relative-type-"),
			"past":   counts(f.at("relativeTime-type-past"), "relativeTimePattern-count-"),
			"future": counts(f.at("relativeTime-type-future"), "relativeTimePattern-count-"),
		}
	}
	out["relative"] = units
}

func counts(n node, prefix string) map[string]any {
	out := map[string]any{}
	for key, value := range n {
		if count, ok := strings.CutPrefix(key, prefix); ok {
			out[count] = value
		}
	}
	return out
}

func list(n node) []string { return values(n, []string{"start", "middle", "end", "2"}) }

func numbers(out, n, systems node) {
	system := n.text("defaultNumberingSystem")
	out["digits"] = ""
	if system != "latn" {
		out["digits"] = systems.at(system).text("_digits")
	}
	formats, symbols := n.at("decimalFormats-numberSystem-"+system), n.at("symbols-numberSystem-"+system)
	pattern := n.at("percentFormats-numberSystem-" + system).text("standard")
	positive, _, _ := strings.Cut(pattern, ";")
	out["percent"] = strings.ReplaceAll(strings.NewReplacer("#,##,##0", "0", "#,##0", "0").Replace(positive), "%", symbols.text("percentSign"))
	out["decimal"] = symbols.text("decimal")
	out["compact"] = compact(formats.at("short", "decimalFormat"))
	out["compactLong"] = compact(formats.at("long", "decimalFormat"))
}

// compact is, by the number of zeros, the pattern for each plural form.
func compact(n node) map[string]any {
	out := map[string]any{}
	for key, value := range n {
		zeros, count, _ := strings.Cut(key, "-count-")
		power := fmt.Sprint(len(zeros) - 1)
		if _, ok := out[power]; !ok {
			out[power] = map[string]any{}
		}
		out[power].(map[string]any)[count] = value
	}
	return out
}
