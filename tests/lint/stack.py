# SPDX-License-Identifier: LGPL-2.1-or-later
"""Of the built BPF objects: the stack and the calls of every program, as the oldest supported kernel counts them."""
import re
import shutil
import subprocess

import tree

# check_max_stack_depth() of kernel/bpf/verifier.c in 6.1: each frame rounded up to 32 bytes, at least one such, 512 in all, 8 frames.
FRAME, STACK_MAX, FRAMES_MAX = 32, 512, 8
OBJECTS = ("bpf/lsmd-probe.o", "bpf/lsmd-cast.o")
LABEL = re.compile(r"([0-9a-f]+) <(?!LBB)([^>]+)>:")


class Program:
    """Functions of an object: stack[name] in bytes, calls[name], hooks: those that are programs."""

    def __init__(self, path):
        self.stack, self.calls, self.hooks = {}, {}, []
        self.text = {}
        lines = subprocess.run(["llvm-objdump", "-dr", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout.split("\n")
        self._labels(lines)
        self._bodies(lines)

    def _labels(self, lines):
        section = None
        for line in lines:
            if line.startswith("Disassembly of section "):
                section = line.split()[-1].rstrip(":")
            elif label := LABEL.match(line):
                self.stack[label[2]], self.calls[label[2]] = 0, set()
                if section == ".text":
                    self.text[int(label[1], 16)] = label[2]
                else:
                    self.hooks.append(label[2])

    def _bodies(self, lines):
        name = before = None
        for line in lines:
            if label := LABEL.match(line):
                name = label[2]
            for offset in re.findall(r"r10 - (\w+)", line) + re.findall(r"r\d+ \+= -(\w+)$", line.strip()):
                if name and int(offset, 0) <= STACK_MAX:
                    self.stack[name] = max(self.stack[name], int(offset, 0))
            if target := re.search(r"R_BPF_64_(?:32|64)\s+(\S+)", line):
                self._call(name, target[1], before)
            before = line

    def _call(self, name, target, instruction):
        """A static function has no symbol in the relocation: the instruction says where in .text it is, in instructions or bytes."""
        if target == ".text":
            call, load = re.search(r"call (-?\w+)", instruction), re.search(r"= (\w+) ll", instruction)
            target = self.text[(int(call[1], 0) + 1) * 8 if call else int(load[1], 0)]
        if target in self.calls:
            self.calls[name].add(target)

    def deepest(self, name):
        """(bytes, frames, the way there) of the most that @name can need, by bytes, and by frames."""
        ways = [self.deepest(callee) for callee in self.calls[name]]
        own = max(FRAME, -(-self.stack[name] // FRAME) * FRAME)
        best = max((way[0] for way in ways), default=(0, 0, ()))
        longest = max((way[1] for way in ways), key=lambda way: way[1], default=(0, 0, ()))
        return tuple((way[0] + own, way[1] + 1, (name,) + way[2]) for way in (best, longest))


def every_program_fits_the_stack():
    """512 bytes over all calls, and 8 of them: 6.1 refuses what needs more, newer kernels count less."""
    objects = [tree.BUILD / name for name in OBJECTS]
    if not shutil.which("llvm-objdump") or not all(path.exists() for path in objects):
        raise tree.Skip("no llvm-objdump, or nothing is built")
    most = (0, 0, ())
    for path in objects:
        program = Program(path)
        for hook in program.hooks:
            by_bytes, by_frames = program.deepest(hook)
            most = max(most, by_bytes)
            if by_bytes[0] > STACK_MAX:
                yield f"{path.name}: {hook}: {by_bytes[0]} bytes of stack by {' '.join(by_bytes[2])}"
            if by_frames[1] > FRAMES_MAX:
                yield f"{path.name}: {hook}: {by_frames[1]} calls deep by {' '.join(by_frames[2])}"
        if len(program.hooks) < 20:
            yield f"{path.name}: only {len(program.hooks)} programs were found"
    yield tree.Note(f"at most {most[0]} bytes, {most[2][0] if most[2] else 'nothing'}")


CHECKS = [every_program_fits_the_stack]
