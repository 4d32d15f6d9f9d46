//! What debug info the command line asks for.

/// The outcome of all debug options of a command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DebugRequest {
    /// None, by default or by `-g0`.
    #[default]
    Nothing,
    /// Line tables only (`-g1`, `-gline-tables-only`).
    Lines,
    /// Variables and types too.
    Full,
    /// A format other than DWARF, or an option whose effect depends on what else is there: the compiler gets the command line as it stands.
    Unusual,
}

impl DebugRequest {
    /// The request after one more option. `option` is a whole word; one that is no debug option changes nothing.
    pub fn after(self, option: &str) -> DebugRequest {
        let Some(rest) = option.strip_prefix("-g").or_else(|| option.strip_prefix("--debug")) else {
            return self;
        };
        if self == DebugRequest::Unusual {
            return self;
        }
        match rest.strip_prefix('=').unwrap_or(rest) {
            "0" | "gdb0" => DebugRequest::Nothing,
            "1" | "gdb1" | "line-tables-only" | "mlt" | "line-directives-only" => DebugRequest::Lines,
            "2" | "3" | "gdb2" | "gdb3" => DebugRequest::Full,
            "" | "gdb" | "dwarf" | "dwarf-2" | "dwarf-3" | "dwarf-4" | "dwarf-5" | "lldb" | "sce" | "dbx"
            | "modules" => DebugRequest::Full,
            "toggle" | "codeview" | "ctf" | "ctf0" | "ctf1" | "ctf2" | "btf" => DebugRequest::Unusual,
            rest if ["stabs", "coff", "xcoff", "vms"].iter().any(|format| rest.starts_with(format)) => {
                DebugRequest::Unusual
            }
            _ => self,
        }
    }
}
