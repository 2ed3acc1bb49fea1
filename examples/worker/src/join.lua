-- Gives a worker a name that no other has had, and forgets workers that are gone and left no job.
-- KEYS: mail, mail:workers; ARGV: lease in ms
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'senders')) do
    local about = {}
    for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
    if about.pending == 0 and about.idle > tonumber(ARGV[1]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'senders', about.name)
    end
end
return 'worker-' .. redis.call('INCR', KEYS[2])
