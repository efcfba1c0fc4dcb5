cat >good.yaml <<'Y'
- id: mine
  title: My own
  when:
    - signal.name is SIGSEGV
  cause: It is mine.
Y
cat >bad.yaml <<'Y'
- id: mine
  title: My own
  when:
    - signal.nmae is SIGSEGV
  cause: It is mine.
Y
printf -- '- id: [\n' >syntax.yaml
"$INQUEST" signatures check good.yaml; echo $?
"$INQUEST" signatures check -q good.yaml; echo $?
"$INQUEST" signatures check bad.yaml; echo $?
"$INQUEST" signatures check good.yaml syntax.yaml bad.yaml; echo $?
"$INQUEST" signatures check missing.yaml; echo $?
"$INQUEST" signatures check "$TOP"/signatures/*.yaml; echo $?
