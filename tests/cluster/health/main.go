// Says how kstatus (kapp, cli-utils, Flux), Argo CD's health Lua and Flux's health check expressions read objects.
//
// Usage: health FILE.lua CHECK < objects.json. CHECK is JSON, an entry of healthCheckExprs of a Flux Kustomization. Input and output are JSON lists; for each object:
// {"kstatus": "Current", "argocd": "Healthy", "flux": "Current", "message": "..."}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Kstatus string `json:"kstatus"`
	ArgoCD  string `json:"argocd"`
	Flux    string `json:"flux"`
	Message string `json:"message"`
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(script, expressions string) error {
	flux, err := evaluator(expressions)
	if err != nil {
		return err
	}
	var objects []map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		return err
	}
	verdicts := make([]verdict, 0, len(objects))
	for _, object := range objects {
		health, message, err := argocd(script, object)
		if err != nil {
			return err
		}
		// Last, since it changes the numbers in place.
		whole := &unstructured.Unstructured{Object: integers(object).(map[string]any)}
		computed, err := status.Compute(whole)
		if err != nil {
			return err
		}
		// As Flux does with an expression that fails, for lack of a status for example.
		checked := status.UnknownStatus.String()
		if result, err := flux.Evaluate(context.Background(), whole); err == nil {
			checked = string(result.Status)
		}
		verdicts = append(verdicts, verdict{string(computed.Status), health, checked, message})
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func evaluator(expressions string) (*cel.StatusEvaluator, error) {
	var check kustomize.CustomHealthCheck
	if err := json.Unmarshal([]byte(expressions), &check); err != nil {
		return nil, err
	}
	return cel.NewStatusEvaluator(&check.HealthCheckExpressions)
}

// Argo CD sets the global obj, runs the script, and takes status and message of the table that it returns.
func argocd(script string, object map[string]any) (string, string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	// The libraries that Argo CD opens.
	for _, open := range []lua.LGFunction{lua.OpenPackage, lua.OpenBase, lua.OpenTable, lua.OpenString} {
		state.Push(state.NewFunction(open))
		state.Call(0, 0)
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoFile(script); err != nil {
		return "", "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("%s returned no table", script)
	}
	return table.RawGetString("status").String(), table.RawGetString("message").String(), nil
}

func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, item := range from {
			table.RawSetString(key, value(state, item))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, item := range from {
			table.Append(value(state, item))
		}
		return table
	case string:
		return lua.LString(from)
	case float64:
		return lua.LNumber(from)
	case bool:
		return lua.LBool(from)
	default:
		return lua.LNil
	}
}

// Unstructured objects have int64 where encoding/json has float64.
func integers(from any) any {
	switch from := from.(type) {
	case map[string]any:
		for key, item := range from {
			from[key] = integers(item)
		}
	case []any:
		for index, item := range from {
			from[index] = integers(item)
		}
	case float64:
		if from == float64(int64(from)) {
			return int64(from)
		}
	}
	return from
}
