package config

import (
	"regexp"
	"strconv"
	"strings"
)

// A step is one part of a path: a key, or the index of a list where key is empty.
type step struct {
	key   string
	index int
}

var (
	plainKey = regexp.MustCompile(`^[\pL_][\pL\pN_/-]*$`)
	pathStep = regexp.MustCompile(`^(?:\.?([^.\[\]"]+)|\[([0-9]{1,9})\]|\[("(?:[^"\\]|\\.)*")\])`)
)

// joinKey is path.key, or path["some key"] where key would not read as one word.
func joinKey(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	default:
		return path + "." + key
	}
}

func joinIndex(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// join puts a relative path below another.
func join(path, relative string) string {
	switch {
	case relative == "":
		return path
	case path == "" || strings.HasPrefix(relative, "["):
		return path + relative
	default:
		return path + "." + relative
	}
}

// splitPath takes a path apart, as far as it is one.
func splitPath(path string) []step {
	var steps []step
	for path != "" {
		m := pathStep.FindStringSubmatch(path)
		if m == nil {
			break
		}
		switch {
		case m[1] != "":
			steps = append(steps, step{key: m[1]})
		case m[2] != "":
			i, _ := strconv.Atoi(m[2]) // nine digits always fit
			steps = append(steps, step{index: i})
		default:
			key, err := strconv.Unquote(m[3])
			if err != nil || key == "" {
				return steps
			}
			steps = append(steps, step{key: key})
		}
		path = path[len(m[0]):]
	}
	return steps
}

// within reports whether path is at or below root.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (root == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
