// Says how BuildKit reads Dockerfiles: for each line of JSON on its input, a request, it prints a line, the answer.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// request has a Dockerfile, a word to expand with an environment, or a .dockerignore with paths to judge.
type request struct {
	Ignore      []byte   `json:"ignore"`
	Paths       [][]byte `json:"paths"`
	Dockerfile  []byte   `json:"dockerfile"`
	Word        *string  `json:"word"`
	Environment []string `json:"environment"`
}

type heredoc struct {
	Name    []byte `json:"name"`
	Content []byte `json:"content"`
	Expand  bool   `json:"expand"`
	Chomp   bool   `json:"chomp"`
}

type instruction struct {
	Keyword  []byte       `json:"keyword"`
	Flags    [][]byte     `json:"flags"`
	Words    [][]byte     `json:"words"`
	JSON     bool         `json:"json"`
	First    int          `json:"first"`
	Last     int          `json:"last"`
	Heredocs []heredoc    `json:"heredocs"`
	Trigger  *instruction `json:"trigger"`
}

type stage struct {
	Name     string `json:"name"`
	Base     string `json:"base"`
	Platform string `json:"platform"`
	First    int    `json:"first"`
}

type answer struct {
	Error        string        `json:"error"`
	Escape       string        `json:"escape"`
	Syntax       string        `json:"syntax"`
	Instructions []instruction `json:"instructions"`
	// Empty where an instruction is wrong.
	Stages []stage `json:"stages"`
	Word   []byte  `json:"word"`
	// Of each path.
	Ignored []bool `json:"ignored"`
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var asked request
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := output.Encode(reply(asked)); err != nil {
			panic(err)
		}
	}
}

func reply(asked request) answer {
	if asked.Paths != nil {
		ignored, err := judge(asked)
		if err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Ignored: ignored}
	}
	if asked.Word != nil {
		word, _, err := shell.NewLex('\\').ProcessWord(*asked.Word, shell.EnvsFromSlice(asked.Environment))
		if err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Word: []byte(word)}
	}
	parsed, err := parser.Parse(bytes.NewReader(asked.Dockerfile))
	if err != nil {
		return answer{Error: err.Error()}
	}
	_, syntax, _, _ := parser.ParseDirective("syntax", asked.Dockerfile)
	made := answer{Escape: string(parsed.EscapeToken), Syntax: syntax}
	for _, node := range parsed.AST.Children {
		made.Instructions = append(made.Instructions, *convert(node))
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err == nil {
		for _, each := range stages {
			made.Stages = append(made.Stages, stage{each.Name, each.BaseName, each.Platform, each.Location[0].Start.Line})
		}
	}
	return made
}

// judge says of each path whether it is ignored, as fsutil does on its way through a context.
func judge(asked request) ([]bool, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(asked.Ignore))
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	var ignored []bool
	for _, path := range asked.Paths {
		var found bool
		var info patternmatcher.MatchInfo
		names := strings.Split(string(path), "/")
		for depth := range names {
			found, info, err = matcher.MatchesUsingParentResults(strings.Join(names[:depth+1], "/"), info)
			if err != nil {
				return nil, err
			}
		}
		ignored = append(ignored, found)
	}
	return ignored, nil
}

func convert(node *parser.Node) *instruction {
	made := &instruction{
		Keyword: []byte(strings.ToUpper(node.Value)),
		JSON:    node.Attributes["json"],
		First:   node.StartLine,
		Last:    node.EndLine,
	}
	for _, flag := range node.Flags {
		made.Flags = append(made.Flags, []byte(flag))
	}
	for _, doc := range node.Heredocs {
		made.Heredocs = append(made.Heredocs, heredoc{[]byte(doc.Name), []byte(doc.Content), doc.Expand, doc.Chomp})
	}
	for next := node.Next; next != nil; next = next.Next {
		if len(next.Children) > 0 {
			made.Trigger = convert(next.Children[0])
		} else {
			made.Words = append(made.Words, []byte(next.Value))
		}
	}
	return made
}
