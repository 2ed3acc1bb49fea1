-- Says that a worker is alive and at work on these jobs, as far as they are still its own; tells how
-- often the workers were asked to stop.
-- KEYS: mail, mail:stops; ARGV: worker, IDs
for i = 2, #ARGV do
    if #redis.call('XPENDING', KEYS[1], 'senders', ARGV[i], ARGV[i], 1, ARGV[1]) == 1 then
        redis.call('XCLAIM', KEYS[1], 'senders', ARGV[1], 0, ARGV[i], 'JUSTID')
    end
end
return tonumber(redis.call('GET', KEYS[2]) or 0)
