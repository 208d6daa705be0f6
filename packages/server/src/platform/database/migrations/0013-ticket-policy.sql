-- A ticket says under which second-factor policy it was given out, so that an application with a stricter one asks anew.

alter table sessions
  -- never, enrolled, new_device or always; null: no ticket
  add column entry_policy text;
